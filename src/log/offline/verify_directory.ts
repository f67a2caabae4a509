/**
 * Data directories examined: what they say of themselves, every partition, and whether they agree with
 * the metadata log and with each other.
 *
 * Reads only; works beside a running broker, whose active segments may move meanwhile.
 * Not here: what is done about a finding (`repair_plan.ts`).
 */
import type { Disk } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { parseFolderName, type TopicPartition } from "../directory/partition_folder.ts";
import {
  CHECKPOINTS,
  type DataDirectory,
  hintsOf,
  METADATA_FOLDER,
  readDataDirectory,
} from "./data_directory.ts";
import { checkDirectory, checkPlacement, checkTopicId } from "./directory_checks.ts";
import type { Finding } from "./finding.ts";
import { type DecodeMetadata, type KnownTopic, readMetadataTopics } from "./metadata_topics.ts";
import { listPartition } from "./partition_files.ts";
import { NO_HINTS, type PartitionReport } from "./partition_report.ts";
import { verifyPartition } from "./verify_partition.ts";

export interface VerifyTask {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  /** Data directories, or folders of single partitions. */
  readonly paths: readonly string[];
  readonly decodeMetadata: DecodeMetadata;
  /** Data directories that the caller has locked. */
  readonly ownDirectories?: ReadonlySet<string>;
  onFinding?(finding: Finding): void;
  /** Called often: bytes read so far of those there are. */
  onProgress?(progress: VerifyProgress): Promise<void> | void;
}

export interface VerifyProgress {
  readonly path: string;
  readonly bytes: number;
  readonly bytesTotal: number;
}

export interface VerifyReport {
  readonly directories: readonly DataDirectory[];
  readonly partitions: readonly PartitionReport[];
  /** All of them, those of the partitions included. */
  readonly findings: readonly Finding[];
  readonly bytes: number;
  readonly batches: number;
  /** A broker has one of the directories. */
  readonly isRunning: boolean;
}

/** A path that is neither a data directory nor a partition's folder. */
export class NoLogFound extends Error {
  override readonly name = "NoLogFound";
  readonly code = "NOT_FOUND";
  readonly hint = "Name a data directory (log.dirs of the broker) or the folder of one partition";
}

/** Throws `NoLogFound`, or a `DiskFault` where a directory cannot be listed. */
export async function verifyLogs(task: VerifyTask): Promise<VerifyReport> {
  return await new Verification(task).run();
}

/** The data directories that the paths are, or lie in. */
export function directoriesOf(
  { disk, paths }: Pick<VerifyTask, "disk" | "paths">,
): ReadonlySet<string> {
  const found = new Set<string>();
  for (const path of paths) {
    const isFolder = listPartition(disk, path).segments.length > 0;
    const directory = isFolder ? parentOf(path) : path;
    if (isDataDirectory(disk, directory)) found.add(directory);
  }
  return found;
}

function parentOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "." : path.slice(0, at) || "/";
}

function isDataDirectory(disk: Disk, path: string): boolean {
  return [...Object.values(CHECKPOINTS), "meta.properties", ".lock"]
    .some((name) => disk.info(`${path}/${name}`) !== undefined);
}

interface Target {
  readonly path: string;
  readonly partition: TopicPartition | undefined;
  /** Undefined where the folder lies in no data directory. */
  readonly directory: DataDirectory | undefined;
  readonly bytes: number;
}

class Verification {
  readonly #task: VerifyTask;
  readonly #findings: Finding[] = [];
  readonly #directories: DataDirectory[] = [];
  #topics: ReadonlyMap<string, KnownTopic> | undefined;
  #bytes = 0;

  constructor(task: VerifyTask) {
    this.#task = task;
  }

  async run(): Promise<VerifyReport> {
    const targets = this.#targets();
    const tell = (finding: Finding): void => this.#tell(finding);
    await this.#readTopics(targets);
    for (const directory of this.#directories) checkDirectory(directory, tell);
    const bytesTotal = targets.reduce((sum, { bytes }) => sum + bytes, 0);
    const partitions: PartitionReport[] = [];
    for (const target of targets) {
      // deno-lint-ignore no-await-in-loop -- the disk is read in one stream
      partitions.push(await this.#checkPartition(target, bytesTotal));
      checkTopicId({ disk: this.#task.disk, topics: this.#topics, ...target }, tell);
    }
    checkPlacement({ targets, directories: this.#directories, topics: this.#topics }, tell);
    return {
      directories: this.#directories,
      partitions,
      findings: this.#findings,
      bytes: this.#bytes,
      batches: partitions.reduce((sum, { batches }) => sum + batches, 0),
      isRunning: targets.some(({ directory }) => directory?.state === "running") ||
        this.#directories.some(({ state }) => state === "running"),
    };
  }

  #targets(): readonly Target[] {
    const { disk } = this.#task;
    return this.#task.paths.flatMap((path): readonly Target[] => {
      const folder = this.#folderTarget(path);
      if (folder !== undefined) return [folder];
      const directory = this.#read(path);
      if (directory === undefined) {
        throw new NoLogFound(
          disk.info(path) === undefined ? `There is no ${path}` : `No log lies in ${path}`,
        );
      }
      this.#directories.push(directory);
      return directory.partitions.map((entry) => ({
        path: entry.path,
        partition: { topic: entry.topic, partition: entry.partition },
        directory,
        bytes: this.#bytesOf(entry.path),
      }));
    });
  }

  /** A path that is one partition's folder; its data directory is the one around it. */
  #folderTarget(path: string): Target | undefined {
    const { disk } = this.#task;
    if (disk.info(path)?.isDirectory !== true) return undefined;
    if (listPartition(disk, path).segments.length === 0) return undefined;
    const parent = parentOf(path);
    return {
      path,
      partition: parseFolderName(path.slice(path.lastIndexOf("/") + 1)),
      directory: isDataDirectory(disk, parent) ? this.#read(parent) : undefined,
      bytes: this.#bytesOf(path),
    };
  }

  #read(path: string): DataDirectory | undefined {
    const { disk, ownDirectories } = this.#task;
    return readDataDirectory(disk, path, ownDirectories?.has(path) === true);
  }

  #bytesOf(path: string): number {
    return listPartition(this.#task.disk, path).segments
      .reduce((sum, { log }) => sum + (log?.bytes ?? 0), 0);
  }

  async #readTopics(targets: readonly Target[]): Promise<void> {
    const { disk, crc32c, decodeMetadata } = this.#task;
    const places = new Set([
      ...this.#directories.map(({ path }) => path),
      ...targets.flatMap(({ directory }) => directory === undefined ? [] : [directory.path]),
    ]);
    for (const place of places) {
      const path = `${place}/${METADATA_FOLDER}`;
      if (disk.info(path) === undefined) continue;
      // deno-lint-ignore no-await-in-loop -- only one of them has it
      this.#topics ??= await readMetadataTopics(disk, crc32c, path, decodeMetadata);
    }
  }

  async #checkPartition(target: Target, bytesTotal: number): Promise<PartitionReport> {
    const { disk, crc32c, onProgress } = this.#task;
    const { path, partition, directory } = target;
    const hints = directory === undefined || partition === undefined
      ? NO_HINTS
      : hintsOf(directory, partition, this.#isCompacted(partition));
    const report = await verifyPartition({
      disk,
      crc32c,
      path,
      partition,
      hints,
      onFinding: (finding) => this.#tell(finding),
      onProgress: (bytes) => {
        this.#bytes += bytes;
        return onProgress?.({ path, bytes: this.#bytes, bytesTotal });
      },
    });
    const ahead = hints.highWatermark ?? 0;
    if (hints.state !== "running" && ahead > report.endOffset && report.lost.length === 0) {
      this.#tellInfo(
        "checkpoint-ahead",
        path,
        `the high watermark was ${ahead}, and the log ends at ${report.endOffset}`,
      );
    }
    return report;
  }

  /** Undefined where the metadata log says nothing of the topic. */
  #isCompacted({ topic }: TopicPartition): boolean | undefined {
    if (`${topic}-0` === METADATA_FOLDER) return this.#topics === undefined ? undefined : false;
    if (topic.startsWith("__")) return undefined; // compacted by the broker's own rule
    return this.#topics?.get(topic)?.isCompacted;
  }

  #tellInfo(code: Finding["code"], path: string, message: string): void {
    this.#tell({ severity: "info", code, path, message });
  }

  #tell(finding: Finding): void {
    this.#findings.push(finding);
    this.#task.onFinding?.(finding);
  }
}
