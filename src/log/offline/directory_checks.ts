/**
 * What a data directory says of itself, and whether its folders are where the metadata log has them.
 */
import type { Disk } from "../../env/disk.ts";
import {
  decodePartitionMetadata,
  folderName,
  PARTITION_METADATA_FILE,
  type TopicPartition,
} from "../directory/partition_folder.ts";
import {
  type CheckpointName,
  CHECKPOINTS,
  type DataDirectory,
  METADATA_FOLDER,
} from "./data_directory.ts";
import type { Finding } from "./finding.ts";
import type { KnownTopic } from "./metadata_topics.ts";

type Tell = (finding: Finding) => void;
/** Undefined where there was no metadata log to read. */
type Topics = ReadonlyMap<string, KnownTopic> | undefined;

export interface CheckedPlace {
  readonly path: string;
  readonly partition: TopicPartition | undefined;
}

export interface CheckedFolder extends CheckedPlace {
  readonly disk: Disk;
  readonly topics: Topics;
}

export interface Placement {
  readonly targets: readonly CheckedPlace[];
  readonly directories: readonly DataDirectory[];
  readonly topics: Topics;
}

export function checkDirectory(directory: DataDirectory, tell: Tell): void {
  const { path, identity, checkpoints, partitions } = directory;
  if (typeof identity === "string" || identity === undefined && partitions.length > 0) {
    tell({
      severity: identity === undefined ? "warning" : "damage",
      code: "identity-wrong",
      path: `${path}/meta.properties`,
      message: identity === undefined
        ? "the file is not there, and there are partitions"
        : `the file cannot be read: ${identity}`,
      remedy: "write it anew: version=1, cluster.id and node.id as in another directory or a " +
        "backup, directory.id any unused uuid",
    });
  }
  const names = new Set(partitions.map(folderName));
  for (const [name, entries] of Object.entries(checkpoints)) {
    const file = `${path}/${CHECKPOINTS[name as CheckpointName]}`;
    if (entries === undefined) {
      tell({
        severity: "warning",
        code: "checkpoint-wrong",
        path: file,
        message: "the checkpoint is damaged and will be taken as empty",
        remedy: "the next start reads more than it had to, and writes it anew",
      });
    }
    const gone = [...(entries?.keys() ?? [])].filter((folder) => !names.has(folder));
    for (const folder of gone) {
      tellInfo(tell, "checkpoint-wrong", file, `it names ${folder}, which is not here`);
    }
  }
  for (const name of directory.aside) {
    tellInfo(tell, "set-aside", `${path}/${name}`, asideMeaning(name));
  }
  for (const name of directory.foreign) {
    tellInfo(tell, "foreign", `${path}/${name}`, "nothing of a broker; it is left alone");
  }
}

export function checkTopicId(folder: CheckedFolder, tell: Tell): void {
  const { disk, path, partition, topics } = folder;
  if (partition === undefined) return;
  const file = `${path}/${PARTITION_METADATA_FILE}`;
  const bytes = disk.readWhole(file);
  const topicId = bytes === undefined ? undefined : decodePartitionMetadata(bytes);
  const known = topics?.get(partition.topic);
  const isMetadata = folderName(partition) === METADATA_FOLDER;
  if (topicId === undefined) {
    tell({
      severity: "warning",
      code: "topic-id-missing",
      path: file,
      message: bytes === undefined ? "the file is not there" : "the file does not name a topic",
      remedy: "the next start writes it anew, from the metadata log",
    });
  } else if (known !== undefined && known.topicId !== topicId) {
    tell({
      severity: "warning",
      code: "topic-id-wrong",
      path: file,
      message: `the folder is of topic id ${topicId}, and ${partition.topic} has ${known.topicId}`,
      remedy: "it is another topic's of the same name: the broker puts it aside as -stray",
    });
  } else if (topics !== undefined && known === undefined && !isMetadata) {
    tellInfo(tell, "topic-unknown", path, "the metadata log knows no such topic");
  }
}

/** Each partition lies in one directory, and those that this node should have lie in one. */
export function checkPlacement(all: Placement, tell: Tell): void {
  const { targets } = all;
  const byName = new Map<string, CheckedPlace[]>();
  for (const target of targets) {
    if (target.partition === undefined) continue;
    const name = folderName(target.partition);
    byName.set(name, [...(byName.get(name) ?? []), target]);
  }
  for (const [first, ...others] of byName.values()) {
    for (const other of others) {
      tell({
        severity: "damage",
        code: "partition-twice",
        path: other.path,
        message: `the partition lies in ${first?.path} as well`,
        remedy: "move the one that is older out of its data directory",
      });
    }
  }
  checkPresence(all, new Set(byName.keys()), tell);
}

/** Partitions that the metadata log gives this node lie in one of the directories. */
function checkPresence(
  { directories, topics }: Placement,
  names: ReadonlySet<string>,
  tell: Tell,
): void {
  const nodeIds = new Set(
    directories.flatMap(({ identity }) => typeof identity === "object" ? [identity.nodeId] : []),
  );
  if (directories.length === 0 || nodeIds.size !== 1) return;
  const [nodeId] = nodeIds as Set<number>;
  for (const { name, partitions } of topics?.values() ?? []) {
    for (const [partition, replicas] of partitions) {
      if (!replicas.includes(nodeId as number) || names.has(`${name}-${partition}`)) continue;
      tell({
        severity: "warning",
        code: "partition-missing",
        path: directories[0]?.path ?? "",
        message: `${name}-${partition} should be on node ${nodeId}, and is in none of these ` +
          "directories",
        remedy: "name all directories of log.dirs; if it is in none of them, its data is gone",
      });
    }
  }
}

function tellInfo(tell: Tell, code: Finding["code"], path: string, message: string): void {
  tell({ severity: "info", code, path, message });
}

function asideMeaning(name: string): string {
  if (name.endsWith("-delete")) return "a deleted partition; the next start removes it";
  if (name.endsWith("-stray")) return "a partition of another topic; nobody removes it";
  return "a partition that was being moved between directories";
}
