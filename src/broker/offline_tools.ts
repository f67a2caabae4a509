/**
 * Examining, dumping and repairing data on disk without a broker, put together for this environment.
 *
 * The tools themselves are in `log/offline/`; here they get what a log does not know: how records of
 * the metadata log are encoded, and the codecs.
 */
import { DiskFault, type DiskFaultKind } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import { dumpFile, type DumpVisitor, openDump } from "../log/offline/dump_items.ts";
import { repairLogs, type RepairReport, type RepairTask } from "../log/offline/repair_logs.ts";
import { storageInfo, type StoredDirectory } from "../log/offline/storage_info.ts";
import { verifyLogs, type VerifyReport, type VerifyTask } from "../log/offline/verify_directory.ts";
import { decompressWith } from "../record/compression.ts";
import { BrokerSettings } from "../runtime/broker_settings.ts";
import { decodeMessagePack } from "../wire/msgpack.ts";

export type { DumpedEntry } from "../log/offline/dump_entries.ts";
export type { DumpedControl, DumpedFile, DumpVisitor } from "../log/offline/dump_items.ts";
export type { Finding, OffsetSpan, Severity } from "../log/offline/finding.ts";
export type { RepairedPartition, RepairReport } from "../log/offline/repair_logs.ts";
export type { RepairPlan, RepairStep } from "../log/offline/repair_plan.ts";
export type { StoredDirectory, StoredPartition } from "../log/offline/storage_info.ts";
export type { VerifyProgress, VerifyReport } from "../log/offline/verify_directory.ts";

type Own = "disk" | "crc32c" | "decodeMetadata" | "ownDirectories";

export interface DumpOptions {
  readonly wantsRecords: boolean;
  readonly fromOffset: number;
}

/** What the disk would not do, with a code for whoever started the tool. */
export class OfflineFault extends Error {
  override readonly name = "OfflineFault";
  readonly code: string;
  readonly hint: string | undefined;
  constructor(fault: DiskFault) {
    super(fault.message, { cause: fault });
    this.code = CODES[fault.kind];
    this.hint = fault.kind === "not-permitted"
      ? "Run it as the user that the broker runs as"
      : undefined;
  }
}

const CODES: Readonly<Record<DiskFaultKind, string>> = {
  "not-found": "NOT_FOUND",
  "exists": "IO",
  "no-space": "NO_SPACE",
  "no-handles": "IO",
  "not-permitted": "NOT_PERMITTED",
  "unreadable": "IO",
  "io": "IO",
};

export class OfflineTools {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /** What a file is by its name; undefined where there is none, or its name says nothing. */
  open(path: string): ReturnType<typeof openDump> {
    return openDump(this.#env.disk, path);
  }

  isThere(path: string): boolean {
    return this.#env.disk.info(path) !== undefined;
  }

  /** Throws an `OfflineFault`. */
  async dump(path: string, options: DumpOptions, visitor: DumpVisitor): Promise<void> {
    const file = this.open(path);
    if (file === undefined) return;
    const { disk, crc32c, compressors } = this.#env;
    const decompress = decompressWith(compressors);
    const task = { disk, crc32c, decompress, path, ...options };
    await told(() => dumpFile(task, file, visitor));
  }

  /** A record's value of the metadata log. */
  decodeMetadata(bytes: Uint8Array): unknown {
    return decodeMessagePack(bytes);
  }

  async verify(task: Omit<VerifyTask, Own>): Promise<VerifyReport> {
    return await told(() => verifyLogs({ ...task, ...this.#own() }));
  }

  async repair(task: Omit<RepairTask, Own | "now">): Promise<RepairReport> {
    const now = this.#env.clock.wallMs();
    return await told(() => repairLogs({ ...task, ...this.#own(), now }));
  }

  /** The reserve is that of a broker without settings of its own. */
  async storageInfo(path: string): Promise<StoredDirectory> {
    const reserveBytes = new BrokerSettings(new Map([["log.dirs", path]]))
      .get("mq.disk.reserve.bytes");
    return await told(() => Promise.resolve(storageInfo(this.#env.disk, path, reserveBytes)));
  }

  #own(): Pick<VerifyTask, "disk" | "crc32c" | "decodeMetadata"> {
    const { disk, crc32c } = this.#env;
    return { disk, crc32c, decodeMetadata: decodeMessagePack };
  }
}

async function told<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (fault) {
    throw fault instanceof DiskFault ? new OfflineFault(fault) : fault;
  }
}
