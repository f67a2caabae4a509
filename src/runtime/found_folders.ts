/**
 * What a start finds in the log directories: the folders of known partitions, what is left of removed
 * topics, and what nobody knows.
 *
 * Nothing is removed on a guess: a folder goes only when a committed record removed its topic; folders
 * that nobody knows are left alone and told of.
 */
import { DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import type { PartitionFolder } from "../log/directory/log_directory.ts";
import { LogDirectoryFault } from "../log/directory/log_directory_fault.ts";
import { folderName } from "../log/directory/partition_folder.ts";
import type { ClusterImage } from "../metadata/image.ts";
import { METADATA_TOPIC } from "../metadata/topic_name.ts";
import { type Place, uniqueHex } from "./log_places.ts";
import type { FoundFolder } from "./partition_opener.ts";

export interface FoundFoldersOptions {
  readonly image: ClusterImage;
  /** Paths of folders that are nobody's any more and may be removed, when there is time. */
  readonly onDeleted: (place: Place, paths: readonly string[]) => void;
}

/** By the names of their folders. Throws where two directories have the same partition. */
export async function findFolders(
  env: Env,
  places: readonly Place[],
  { image, onDeleted }: FoundFoldersOptions,
): Promise<ReadonlyMap<string, FoundFolder>> {
  const known = new Map<string, FoundFolder>();
  for (const place of places) {
    const removed: PartitionFolder[] = [];
    for (const folder of foldersIn(place)) {
      const { topic, partition, topicId, path } = folder;
      if (topic === METADATA_TOPIC) continue;
      if (topicId !== undefined && image.wasRemoved(topicId)) removed.push(folder);
      else if (image.topic(topic)?.partitions[partition] === undefined) {
        env.trace.event("warn", "a folder of no known partition is left alone", { path });
      } else {
        const other = known.get(folderName(folder));
        if (other !== undefined) throw foundTwice(other, folder);
        known.set(folderName(folder), { folder, place });
      }
    }
    // deno-lint-ignore no-await-in-loop -- one directory after the other
    onDeleted(place, await deletedFolders(env, place, removed));
  }
  return known;
}

/** A directory that cannot be listed is offline: what lies in it must not be taken for missing. */
function foldersIn(place: Place): readonly PartitionFolder[] {
  try {
    return place.directory.partitions();
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    place.onFault(new DiskFault("io", error.path, error.message));
    return [];
  }
}

/** What is left of topics that were removed, by a crash in the middle or because it was not time yet. */
async function deletedFolders(
  env: Env,
  place: Place,
  removed: readonly PartitionFolder[],
): Promise<readonly string[]> {
  if (!place.isOnline) return [];
  try {
    if (removed.length > 0) await place.directory.deletePartitions(removed, () => uniqueHex(env));
    return place.directory.deletedFolders();
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    place.onFault(error);
    return [];
  }
}

/** As Kafka, which does not start either (kafka: LogManager.loadLog). */
function foundTwice({ folder: one }: FoundFolder, other: PartitionFolder): LogDirectoryFault {
  return new LogDirectoryFault(
    "CORRUPT",
    `Cannot tell which log of ${folderName(one)} is the right one: ${one.path} or ${other.path}`,
    "nothing was changed: look at both (mq log verify), and move one of them out of the log directory",
  );
}
