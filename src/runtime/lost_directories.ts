/**
 * Directories that this broker had and does not find again: removed from `log.dirs`, replaced, or not
 * mounted. As long as partitions are missing, these are remembered as where they may lie.
 */
import { type Disk, DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import { writeAtomically } from "../log/atomic_file.ts";
import {
  encodeKnownDirectories,
  KNOWN_DIRECTORIES_FILE,
  type KnownDirectory,
} from "../log/directory/known_directories.ts";
import type { OpenedPlaces, Place } from "./log_places.ts";
import { plainPath, readKnownDirectories } from "./mount_points.ts";

/** Of those that are known, which are neither open nor named and offline. */
export function lostDirectories(
  disk: Disk,
  { places, absent }: OpenedPlaces,
): readonly KnownDirectory[] {
  const ids = new Set(places.map(({ directory }) => directory.identity.directoryId));
  const paths = new Set(absent.map(({ path }) => plainPath(path)));
  return readKnown(disk, places[0] as Place).filter(({ directoryId, path }) => {
    return !ids.has(directoryId) && !paths.has(plainPath(path));
  });
}

/** Tells of those that are missed, which `lost` names, and writes them down with those there are. */
export async function noteDirectories(
  { disk, trace }: Env,
  { places, absent }: OpenedPlaces,
  lost: readonly KnownDirectory[],
): Promise<void> {
  for (const { path, directoryId } of lost) {
    const hint =
      "mount it, and name it in log.dirs; or delete the topics of which partitions lay there";
    trace.event("error", "a log directory is missing", { path, directoryId, hint });
  }
  const first = places[0] as Place;
  const absentPaths = new Set(absent.map(({ path }) => plainPath(path)));
  const ids = new Set(places.map(({ directory }) => directory.identity.directoryId));
  const known = readKnown(disk, first);
  const noted = [
    ...places.map(({ directory: { identity: { directoryId }, path } }) => ({ directoryId, path })),
    // What is offline keeps the id that it had when it was seen.
    ...known.filter(({ path, directoryId }) => {
      return absentPaths.has(plainPath(path)) && !ids.has(directoryId);
    }),
    ...lost,
  ];
  const isSame = noted.length === known.length && noted.every(({ directoryId, path }, index) => {
    return known[index]?.directoryId === directoryId && known[index]?.path === path;
  });
  // The only one there ever was has the metadata log: without it there is no start.
  if (isSame || (known.length === 0 && noted.length === 1)) return;
  try {
    const path = `${first.directory.path}/${KNOWN_DIRECTORIES_FILE}`;
    await writeAtomically(disk, path, encodeKnownDirectories(noted));
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    trace.event("warn", "log directories could not be noted", { error: error.message });
    first.onFault(error);
  }
}

function readKnown(disk: Disk, { directory }: Place): readonly KnownDirectory[] {
  return readKnownDirectories(disk, directory.path);
}
