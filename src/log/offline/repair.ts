/**
 * Carries out a repair plan. No byte is destroyed: what is taken out of a file is copied first, what is
 * made anew is moved, all of it into `repair-<time>` inside the partition's folder.
 *
 *     1  the recovery point is raised where it must be: it says what was there, whatever comes
 *     2  repair-<time>/ gets the damaged bytes and repair.json, durably
 *     3  an empty segment says where a log that has lost its tail goes on
 *     4  the clean mark of the data directory goes: the next start looks closely
 *     5  indexes and other files that will be made anew are moved to the folder, durably;
 *        transaction indexes, which no start makes anew, are written
 *     6  leader epochs are set right in place: four bytes, and repair.json has the old ones
 *     7  a segment with a hole is written anew in that folder, synced, and renamed to its place;
 *        one that only loses its end is shortened
 *     8  checkpoints are lowered
 *
 * A crash at any point leaves a log that a start can open as far as before, and a second repair begins
 * from what it finds: a missing index is made anew, and Kafka and mq walk past folders inside a
 * partition's folder.
 */
import type { Disk } from "../../env/disk.ts";
import type { Ms } from "../../ground/numbers.ts";
import { toOffset } from "../../ground/numbers.ts";
import { writeAtomically } from "../atomic_file.ts";
import { PARTITION_LEADER_EPOCH_AT } from "../../record/format.ts";
import { encodeCheckpoint, type PartitionOffset } from "../checkpoint_file.ts";
import { folderName, parseFolderName, type TopicPartition } from "../directory/partition_folder.ts";
import { encodeAborted } from "../index/transaction_index.ts";
import { type CheckpointName, CHECKPOINTS, type DataDirectory } from "./data_directory.ts";
import { REPAIR_MANIFEST } from "./partition_files.ts";
import { between, copyRanges, type FileRange } from "./file_ranges.ts";
import { encodeManifest, type KeptBytes } from "./repair_manifest.ts";
import type { RepairPlan, RepairStep } from "./repair_plan.ts";

export interface RepairTools {
  readonly disk: Disk;
  /** For the folder's name. */
  readonly now: Ms;
}

/** More is needed than the disk has free. */
export class NoRoomToRepair extends Error {
  override readonly name = "NoRoomToRepair";
  readonly code = "NO_SPACE";
  readonly hint = "Nothing was changed. Make room, or repair a copy on another disk";
}

const CLEAN_MARKS = [".cleanshutdown", ".kafka_cleanshutdown"];

/**
 * Gives the folder that holds what was taken out. Nobody else may use the partition meanwhile.
 * Throws a `NoRoomToRepair`, or a `DiskFault`.
 */
export async function executeRepair(
  tools: RepairTools,
  plan: RepairPlan,
  directory: DataDirectory | undefined,
): Promise<string> {
  checkRoom(tools.disk, plan);
  const repair = new Repair(tools, plan);
  if (directory !== undefined) await repair.raiseRecoveryPoint(directory);
  await repair.keepBytes();
  await repair.makeSegment();
  if (directory !== undefined) await removeCleanMark(tools.disk, directory.path);
  await repair.moveFiles();
  await repair.setEpochs();
  await repair.cutSegments();
  if (directory !== undefined) await repair.lowerCheckpoints(directory);
  return repair.folder;
}

/** Bytes that the plan needs at most, on top of what is there. */
export function roomNeeded(plan: RepairPlan): number {
  let kept = 0;
  let rewritten = 0;
  for (const step of plan.steps) {
    if (step.kind !== "cut") continue;
    kept += step.cuts.reduce((sum, cut) => sum + cut.sizeInBytes, 0);
    if (!step.isTail) rewritten = Math.max(rewritten, step.sizeInBytes);
  }
  return kept + rewritten;
}

function checkRoom(disk: Disk, plan: RepairPlan): void {
  const [needed, free] = [roomNeeded(plan), disk.freeBytes(plan.path)];
  if (needed <= free) return;
  throw new NoRoomToRepair(
    `Cannot repair ${plan.path}: it takes ${needed} bytes for copies, and ${free} are free`,
  );
}

async function removeCleanMark(disk: Disk, path: string): Promise<void> {
  const marks = CLEAN_MARKS.map((name) => `${path}/${name}`)
    .filter((mark) => disk.info(mark) !== undefined);
  for (const mark of marks) disk.remove(mark);
  if (marks.length > 0) await disk.syncDirectory(path);
}

class Repair {
  readonly folder: string;
  readonly #disk: Disk;
  readonly #plan: RepairPlan;
  readonly #repairedAt: string;

  constructor({ disk, now }: RepairTools, plan: RepairPlan) {
    this.#disk = disk;
    this.#plan = plan;
    this.#repairedAt = timeText(now);
    this.folder = unusedName(disk, `${plan.path}/repair-${this.#repairedAt.replace(/[-:]/g, "")}`);
  }

  /** Step 1. */
  async raiseRecoveryPoint(directory: DataDirectory): Promise<void> {
    for (const { names, offset } of this.#steps("raise-recovery-point")) {
      for (const name of names) {
        const file = this.#disk.open(`${this.#plan.path}/${name}`, "write");
        try {
          // deno-lint-ignore no-await-in-loop -- one file after the other
          await file.sync();
        } finally {
          file.close();
        }
      }
      // deno-lint-ignore no-await-in-loop -- there is one such step at most
      await this.#disk.syncDirectory(this.#plan.path);
      // deno-lint-ignore no-await-in-loop -- as above
      await this.#writeCheckpoint(directory, "recoveryPoint", offset);
    }
  }

  /** Step 2. */
  async keepBytes(): Promise<void> {
    const kept: KeptBytes[] = [];
    this.#disk.makeDirectory(this.folder);
    for (const step of this.#steps("cut")) {
      for (const cut of step.cuts) {
        const keptAs = `${step.name}.${cut.position}-damaged`;
        // deno-lint-ignore no-await-in-loop -- one stream from the disk
        await this.#copy(step.name, `${this.folder}/${keptAs}`, [cut]);
        kept.push({ file: step.name, ...cut, keptAs });
      }
    }
    const manifest = encodeManifest({
      version: 0,
      repairedAt: this.#repairedAt,
      lost: this.#plan.lost,
      cut: kept,
      epochs: this.#steps("set-epoch").map(({ name, position, leaderEpoch, expected }) => {
        return { file: name, position, was: leaderEpoch, is: expected };
      }),
      moved: this.#steps("move").map(({ name }) => name),
    });
    await writeAtomically(this.#disk, `${this.folder}/${REPAIR_MANIFEST}`, manifest);
    await this.#disk.syncDirectory(this.#plan.path);
  }

  /** Step 3. */
  async makeSegment(): Promise<void> {
    for (const { name } of this.#steps("go-on")) {
      const file = this.#disk.open(`${this.#plan.path}/${name}`, "write");
      try {
        // deno-lint-ignore no-await-in-loop -- there is one such step at most
        await file.sync();
      } finally {
        file.close();
      }
      // deno-lint-ignore no-await-in-loop -- as above
      await this.#disk.syncDirectory(this.#plan.path);
    }
  }

  /** Step 5. */
  async moveFiles(): Promise<void> {
    const { path } = this.#plan;
    for (const { name } of this.#steps("move")) {
      this.#disk.rename(`${path}/${name}`, `${this.folder}/${name}`);
    }
    await this.#disk.syncDirectory(this.folder);
    await this.#disk.syncDirectory(path);
    for (const { name, entries } of this.#steps("write-transactions")) {
      // deno-lint-ignore no-await-in-loop -- rare, and one file after the other
      await writeAtomically(this.#disk, `${path}/${name}`, encodeAborted(entries));
    }
  }

  /** Step 6. */
  async setEpochs(): Promise<void> {
    for (const { name, position, expected } of this.#steps("set-epoch")) {
      const file = this.#disk.open(`${this.#plan.path}/${name}`, "write");
      try {
        const bytes = new Uint8Array(4);
        new DataView(bytes.buffer).setInt32(0, expected);
        file.write(position + PARTITION_LEADER_EPOCH_AT, [bytes]);
        // deno-lint-ignore no-await-in-loop -- rare, and one file after the other
        await file.sync();
      } finally {
        file.close();
      }
    }
  }

  /** Step 7. */
  async cutSegments(): Promise<void> {
    for (const step of this.#steps("cut")) {
      // deno-lint-ignore no-await-in-loop -- room for one copy is enough
      await (step.isTail ? this.#shorten(step) : this.#rewrite(step));
    }
  }

  /** Step 8. No checkpoint speaks of offsets behind the end any more. */
  async lowerCheckpoints(directory: DataDirectory): Promise<void> {
    const name = folderName(this.#plan.report.partition as TopicPartition);
    for (const { endOffset } of this.#steps("lower-checkpoints")) {
      for (const kind of Object.keys(CHECKPOINTS) as CheckpointName[]) {
        if ((directory.checkpoints[kind]?.get(name) ?? 0) <= endOffset) continue;
        // deno-lint-ignore no-await-in-loop -- at most three small files
        await this.#writeCheckpoint(directory, kind, endOffset);
      }
    }
  }

  /** Only this partition's entry is another one. */
  async #writeCheckpoint(
    directory: DataDirectory,
    kind: CheckpointName,
    offset: number,
  ): Promise<void> {
    const name = folderName(this.#plan.report.partition as TopicPartition);
    const entries = new Map(directory.checkpoints[kind] ?? []).set(name, offset);
    const written = [...entries].flatMap(([folder, value]): readonly PartitionOffset[] => {
      const partition = parseFolderName(folder);
      return partition === undefined ? [] : [{ ...partition, offset: toOffset(value) }];
    });
    const path = `${directory.path}/${CHECKPOINTS[kind]}`;
    await writeAtomically(this.#disk, path, encodeCheckpoint(written));
  }

  async #shorten({ name, cuts }: RepairStep & { kind: "cut" }): Promise<void> {
    const file = this.#disk.open(`${this.#plan.path}/${name}`, "write");
    try {
      file.truncate(cuts[0]?.position ?? file.bytes());
      await file.sync();
    } finally {
      file.close();
    }
  }

  async #rewrite({ name, cuts, sizeInBytes }: RepairStep & { kind: "cut" }): Promise<void> {
    const { path } = this.#plan;
    const aside = `${this.folder}/${name}.new`;
    await this.#copy(name, aside, between(cuts, sizeInBytes));
    this.#disk.rename(aside, `${path}/${name}`);
    await this.#disk.syncDirectory(path);
    await this.#disk.syncDirectory(this.folder);
  }

  /** Copies ranges of a log file into a new file, one behind the other, durably. */
  async #copy(name: string, target: string, ranges: readonly FileRange[]): Promise<void> {
    const source = this.#disk.open(`${this.#plan.path}/${name}`, "read");
    try {
      const copy = this.#disk.open(target, "write");
      try {
        copy.truncate(0);
        await copyRanges(source, copy, ranges);
        await copy.sync();
      } finally {
        copy.close();
      }
    } finally {
      source.close();
    }
  }

  #steps<Kind extends RepairStep["kind"]>(kind: Kind): readonly (RepairStep & { kind: Kind })[] {
    return this.#plan.steps.filter((step): step is RepairStep & { kind: Kind } =>
      step.kind === kind
    );
  }
}

function unusedName(disk: Disk, wanted: string): string {
  let name = wanted;
  for (let count = 2; disk.info(name) !== undefined; count++) name = `${wanted}-${count}`;
  return name;
}

/** "2026-11-22T23:59:00Z" */
function timeText(now: Ms): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}
