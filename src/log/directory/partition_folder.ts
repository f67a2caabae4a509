/**
 * Names of partition directories and the file that says which topic they belong to.
 *
 *     orders-0                                            partition 0 of topic "orders"
 *     orders-0.6f1c…(32 hex digits)-delete                to be removed
 *     orders-0/partition.metadata = "version: 0\ntopic_id: <22 characters>\n"
 *
 * Source: kafka: LocalLog.parseTopicPartitionName, LocalLog.logDeleteDirName, PartitionMetadataFile.
 */
import { bytesOf, textOf } from "../../ground/text.ts";
import { parseUuid, type Uuid } from "../../ground/uuid.ts";

export const PARTITION_METADATA_FILE = "partition.metadata";

/** What file systems take. */
const NAME_BYTES_MAX = 255;
const FOLDER = /^([a-zA-Z0-9._-]{1,249})-(0|[1-9]\d{0,8})$/;
const DELETED = /\.[0-9a-f]{32}-delete$/;

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export function folderName(partition: TopicPartition): string {
  return `${partition.topic}-${partition.partition}`;
}

/** Undefined where the name is no partition's. */
export function parseFolderName(name: string): TopicPartition | undefined {
  const [, topic, partition] = FOLDER.exec(name) ?? [];
  if (topic === undefined || isDeletedName(name)) return undefined;
  return { topic, partition: Number(partition) };
}

/** Under this name a partition is gone, and removed when there is time. */
export function deletedName(folder: string, uniqueHex: string): string {
  const suffix = `.${uniqueHex}-delete`;
  const dash = folder.lastIndexOf("-");
  const number = folder.slice(dash);
  return folder.slice(0, Math.min(dash, NAME_BYTES_MAX - suffix.length - number.length)) + number +
    suffix;
}

export function isDeletedName(name: string): boolean {
  return DELETED.test(name);
}

export function encodePartitionMetadata(topicId: Uuid): Uint8Array {
  return bytesOf(`version: 0\ntopic_id: ${topicId}\n`);
}

/** Undefined where the bytes do not name a topic. */
export function decodePartitionMetadata(bytes: Uint8Array): Uuid | undefined {
  const [, topicId] = /^version: 0\ntopic_id: (\S+)\n?$/.exec(textOf(bytes)) ?? [];
  return topicId === undefined ? undefined : parseUuid(topicId);
}
