/**
 * Carries out a repair plan. No byte is destroyed: what is taken out of a file is copied first, what is
 * made anew is moved, all of it into `repair-<time>` inside the partition's folder.
 *
 *     1  the clean mark of the data directory goes: the next start looks closely
 *     2  repair-<time>/ gets the damaged bytes and repair.json, durably
 *     3  indexes and other files that will be made anew are moved there, durably
 *     4  leader epochs are set right in place: four bytes, and repair.json has the old ones
 *     5  a segment with a hole is written anew in that folder, synced, and renamed to its place;
 *        one that only loses its end is shortened
 *     6  checkpoints are lowered
 *
 * A crash at any point leaves a log that a start can open as far as before, and a second repair begins
 * from what it finds: a missing index is made anew, and Kafka and mq walk past folders inside a
 * partition's folder.
 */
import type { Disk, DiskFile } from "../../env/disk.ts";
import type { Ms } from "../../ground/numbers.ts";
import { toOffset } from "../../ground/numbers.ts";
import { writeAtomically } from "../atomic_file.ts";
import { PARTITION_LEADER_EPOCH_AT } from "../../record/format.ts";
import { encodeCheckpoint, type PartitionOffset } from "../checkpoint_file.ts";
import { folderName, parseFolderName, type TopicPartition } from "../partition_folder.ts";
import { type CheckpointName, CHECKPOINTS, type DataDirectory } from "./data_directory.ts";
import type { Cut } from "./partition_report.ts";
import { REPAIR_MANIFEST } from "./partition_files.ts";
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

const COPY_BYTES = 4 * 1024 * 1024;
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
  if (directory !== undefined) await removeCleanMark(tools.disk, directory.path);
  const repair = new Repair(tools, plan);
  await repair.keepBytes();
  await repair.moveFiles();
  await repair.setEpochs();
  await repair.cutSegments();
  const lowered = plan.steps.find(({ kind }) => kind === "lower-checkpoints");
  if (lowered?.kind === "lower-checkpoints" && directory !== undefined) {
    await lowerCheckpoints(tools.disk, directory, plan, lowered.endOffset);
  }
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
  async moveFiles(): Promise<void> {
    const { path } = this.#plan;
    for (const { name } of this.#steps("move")) {
      this.#disk.rename(`${path}/${name}`, `${this.folder}/${name}`);
    }
    await this.#disk.syncDirectory(this.folder);
    await this.#disk.syncDirectory(path);
  }

  /** Step 4. */
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

  /** Step 5. */
  async cutSegments(): Promise<void> {
    for (const step of this.#steps("cut")) {
      // deno-lint-ignore no-await-in-loop -- room for one copy is enough
      await (step.isTail ? this.#shorten(step) : this.#rewrite(step));
    }
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
  async #copy(name: string, target: string, ranges: readonly Range[]): Promise<void> {
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

interface Range {
  readonly position: number;
  readonly sizeInBytes: number;
}

/** What is left between the cuts. */
function between(cuts: readonly Cut[], end: number): readonly Range[] {
  const ranges: Range[] = [];
  let position = 0;
  for (const cut of cuts) {
    ranges.push({ position, sizeInBytes: cut.position - position });
    position = cut.position + cut.sizeInBytes;
  }
  ranges.push({ position, sizeInBytes: end - position });
  return ranges.filter(({ sizeInBytes }) => sizeInBytes > 0);
}

async function copyRanges(
  source: DiskFile,
  target: DiskFile,
  ranges: readonly Range[],
): Promise<void> {
  let written = 0;
  for (const { position, sizeInBytes } of ranges) {
    for (let done = 0; done < sizeInBytes;) {
      const length = Math.min(COPY_BYTES, sizeInBytes - done);
      // deno-lint-ignore no-await-in-loop -- bounded memory: a piece at a time
      const bytes = await source.read(position + done, length);
      target.write(written, [bytes]);
      written += bytes.length;
      done += length;
    }
  }
}

/** No checkpoint speaks of offsets behind the end any more. */
async function lowerCheckpoints(
  disk: Disk,
  directory: DataDirectory,
  plan: RepairPlan,
  endOffset: number,
): Promise<void> {
  const name = folderName(plan.report.partition as TopicPartition);
  for (const kind of Object.keys(CHECKPOINTS) as CheckpointName[]) {
    const entries = directory.checkpoints[kind];
    if ((entries?.get(name) ?? 0) <= endOffset || entries === undefined) continue;
    const lowered = [...entries].flatMap(([folder, offset]): readonly PartitionOffset[] => {
      const partition = parseFolderName(folder);
      const value = folder === name ? endOffset : offset;
      return partition === undefined ? [] : [{ ...partition, offset: toOffset(value) }];
    });
    const path = `${directory.path}/${CHECKPOINTS[kind]}`;
    // deno-lint-ignore no-await-in-loop -- at most three small files
    await writeAtomically(disk, path, encodeCheckpoint(lowered));
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
