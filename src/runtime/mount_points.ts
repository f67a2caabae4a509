/**
 * The log directories that are named, looked at before any of them is taken or made.
 *
 * A file system that is not mounted leaves its mount point: an empty directory under the same path, on
 * another disk. That is not taken for a new log directory. It would fill with partitions that are out of
 * sight once the other is mounted again; and where the metadata log lay there, a new one would begin
 * another cluster under the old one's name. Which directories there were is known from
 * `log-directories`. Who has put an empty disk in the place of a broken one says so by taking the old
 * one's line out of that file.
 */
import { type Disk, DiskFault } from "../env/disk.ts";
import { decodeIdentity, IDENTITY_FILE } from "../log/directory/directory_identity.ts";
import {
  decodeKnownDirectories,
  KNOWN_DIRECTORIES_FILE,
  type KnownDirectory,
} from "../log/directory/known_directories.ts";
import { CHECKPOINT_FILES } from "../log/directory/log_directory.ts";
import { LogDirectoryFault } from "../log/directory/log_directory_fault.ts";
import { METADATA_TOPIC } from "../metadata/topic_name.ts";

export interface LookedAt {
  /** In the order in which to open them: those that belong to a cluster say which it is. */
  readonly paths: readonly string[];
  /** Those that are empty and should not be, by their paths. */
  readonly unmounted: ReadonlyMap<string, LogDirectoryFault>;
}

type Kind = "formatted" | "new" | "unreadable";

/** Changes nothing. Throws where a voter's metadata log is nowhere and was somewhere. */
export function lookAtDirectories(
  disk: Disk,
  paths: readonly string[],
  { isVoter }: { readonly isVoter: boolean },
): LookedAt {
  const kinds = new Map<string, Kind>();
  const ids = new Set<string>();
  for (const path of paths) {
    const bytes = read(disk, path, IDENTITY_FILE);
    kinds.set(path, bytes === "unreadable" ? bytes : bytes === undefined ? "new" : "formatted");
    const identity = bytes instanceof Uint8Array ? decodeIdentity(bytes) : "missing";
    if (typeof identity !== "string") ids.add(identity.directoryId);
  }
  const fresh = paths.filter((path) => kinds.get(path) === "new");
  const others = paths.filter((path) => kinds.get(path) !== "new");
  const isReadable = others.every((path) => kinds.get(path) === "formatted");
  if (isVoter && isReadable) mustHaveMetadata(disk, others);
  const unmounted = new Map<string, LogDirectoryFault>();
  for (const place of others) {
    for (const known of readKnownDirectories(disk, place)) {
      const path = fresh.find((one) => plainPath(one) === plainPath(known.path));
      if (path !== undefined && !ids.has(known.directoryId)) {
        unmounted.set(path, isUnmounted(path, known, place));
      }
    }
  }
  return { paths: [...others, ...fresh], unmounted };
}

/** What is written beside the metadata log of a log directory; empty where there is nothing. */
export function readKnownDirectories(disk: Disk, path: string): readonly KnownDirectory[] {
  const bytes = read(disk, path, KNOWN_DIRECTORIES_FILE);
  return (bytes instanceof Uint8Array ? decodeKnownDirectories(bytes) : undefined) ?? [];
}

/** "/data/./a//" as "/data/a". ".." stays: a link before it changes its meaning. */
export function plainPath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return `${path.startsWith("/") ? "/" : ""}${parts.join("/")}`;
}

function read(disk: Disk, path: string, name: string): Uint8Array | undefined | "unreadable" {
  try {
    return disk.readWhole(`${path}/${name}`);
  } catch (error) {
    if (error instanceof DiskFault) return "unreadable"; // who opens it is told why
    throw error;
  }
}

/** Recovery points are first written when there is a metadata log. */
function mustHaveMetadata(disk: Disk, formatted: readonly string[]): void {
  const has = (path: string, name: string): boolean => disk.info(`${path}/${name}`) !== undefined;
  const used = formatted.find((path) => has(path, CHECKPOINT_FILES.recoveryPoint));
  if (used === undefined || formatted.some((path) => has(path, `${METADATA_TOPIC}-0`))) return;
  throw new LogDirectoryFault(
    "IO",
    `Cannot find the metadata log: ${used} was in use before, and no log directory has ` +
      `${METADATA_TOPIC}-0`,
    "mount the file system that it lies on, or name its directory in log.dirs; nothing was changed",
  );
}

function isUnmounted(
  path: string,
  { directoryId }: KnownDirectory,
  beside: string,
): LogDirectoryFault {
  return new LogDirectoryFault(
    "IO",
    `Cannot use log directory ${path}: it has no ${IDENTITY_FILE}, and was directory.id ` +
      `${directoryId} when this broker last ran; is it mounted?`,
    `mount it; where its disk was replaced, take the line of that directory.id out of ` +
      `${beside}/${KNOWN_DIRECTORIES_FILE}: what lay there then begins anew, empty`,
  );
}
