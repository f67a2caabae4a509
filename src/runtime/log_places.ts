/**
 * The log directories of a broker as places for partitions: which could be had, and what lies in them.
 *
 * A directory whose disk does not let it be opened is absent and the others go on; one that another
 * process has, that belongs to another node, that is another one by a second name or lies in another is
 * a mistake of who wrote `log.dirs`, and nothing starts.
 */
import { type Disk, DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import { type Uuid, uuidFromEntropy } from "../ground/uuid.ts";
import { decodeIdentity, IDENTITY_FILE } from "../log/directory/directory_identity.ts";
import { LogDirectory } from "../log/directory/log_directory.ts";
import { LogDirectoryFault } from "../log/directory/log_directory_fault.ts";
import type { BrokerSettings } from "./broker_settings.ts";
import { lookAtDirectories, plainPath } from "./mount_points.ts";
import type { PartitionPlace } from "./partition.ts";

export class Place implements PartitionPlace {
  readonly directory: LogDirectory;
  partitionCount = 0;
  hasNewRecoveryPoints: boolean;
  /** A log in it could not be closed: the next start must look. */
  isUnclean = false;

  constructor(directory: LogDirectory) {
    this.directory = directory;
    // Recovery moves them; and one that is not there is to be there before anything is cleaned.
    this.hasNewRecoveryPoints = !directory.wasClean || !directory.hasCheckpoint("recoveryPoint");
  }

  get isOnline(): boolean {
    return this.directory.health.isOnline;
  }

  get isFull(): boolean {
    return this.directory.health.state.kind === "full";
  }

  get refusal(): string | undefined {
    return this.directory.health.refusal;
  }

  admit(bytes: number): string | undefined {
    return this.directory.health.admit(bytes);
  }

  onFault(fault: DiskFault): void {
    this.directory.health.onFault(fault);
  }
}

/** A directory that could not be opened at this start. */
export interface AbsentDirectory {
  readonly path: string;
  readonly fault: LogDirectoryFault;
}

export interface OpenedPlaces {
  readonly places: Place[];
  readonly absent: AbsentDirectory[];
}

/** 32 hex digits that nobody else has: the name of what is put aside. */
export function uniqueHex({ crypto }: Env): string {
  return [...crypto.randomBytes(16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export interface PlaceOptions {
  readonly env: Env;
  readonly settings: BrokerSettings;
  readonly directories: readonly string[];
}

/** Opens one after the other into `opened`, which holds what must be let go of where it throws. */
export async function openPlaces(options: PlaceOptions, opened: OpenedPlaces): Promise<void> {
  refuseOverlaps(options.directories);
  const isVoter = options.settings.get("process.roles").includes("controller");
  const { paths, unmounted } = lookAtDirectories(options.env.disk, options.directories, {
    isVoter,
  });
  for (const path of paths) {
    try {
      const fault = unmounted.get(path);
      if (fault !== undefined) throw fault;
      // deno-lint-ignore no-await-in-loop -- the first directory tells the cluster of the others
      const place = new Place(await openDirectory(options, path, opened.places[0]));
      refuseSame(place, opened.places);
      opened.places.push(place);
    } catch (fault) {
      if (!(fault instanceof LogDirectoryFault)) throw fault;
      if (fault.code === "IN_USE") throw inUse(options.env, path, opened.places) ?? fault;
      if (!isOfDisk(fault)) throw fault;
      opened.absent.push({ path, fault });
    }
  }
  const [first] = opened.absent;
  if (opened.places.length === 0 && first !== undefined) throw first.fault;
  for (const { path, fault: { message: error, hint } } of opened.absent) {
    options.env.trace.event("error", "log directory is offline", { path, error, hint });
  }
  refuseNested(options.env, opened.places);
  for (const { directory } of opened.places) directory.health.measure();
}

function openDirectory(
  { env, settings }: PlaceOptions,
  path: string,
  first: Place | undefined,
): Promise<LogDirectory> {
  const clusterId = first?.directory.identity.clusterId ??
    [settings.get("cluster.id"), settings.get("mq.cluster.id")].find((id) => (id ?? "") !== "");
  const newUuid = (): Uuid => uuidFromEntropy(env.crypto.randomBytes(16));
  return LogDirectory.open({
    path,
    disk: env.disk,
    clock: env.clock,
    trace: env.trace,
    reserveBytes: settings.get("mq.disk.reserve.bytes"),
    nodeId: settings.get("node.id"),
    ...(clusterId === undefined ? {} : { clusterId }),
    newIds: { clusterId: newUuid(), directoryId: newUuid() },
  });
}

/** Whether the disk is why, and not what lies on it or who has it. */
function isOfDisk({ code }: LogDirectoryFault): boolean {
  return code === "IO" || code === "NOT_PERMITTED";
}

/** By their names, before anything is touched; those with ".." are left to `refuseNested`. */
function refuseOverlaps(directories: readonly string[]): void {
  const plain = directories.map(plainPath);
  for (const [index, path] of plain.entries()) {
    for (const [at, other] of plain.entries()) {
      if (at === index) continue;
      if (path === other) throw overlap(`${path} twice`);
      if (other.startsWith(`${path}/`)) throw overlap(`${other}, which lies in ${path}`);
    }
  }
}

/** A directory that this very broker has under another name (a link) is refused its lock. */
function inUse(
  { disk }: Env,
  path: string,
  places: readonly Place[],
): LogDirectoryFault | undefined {
  const same = placeOf(disk.readWhole(`${path}/${IDENTITY_FILE}`), places);
  return same === undefined
    ? undefined
    : overlap(`${path}, which is ${same.directory.path} by another name`);
}

/** The one whose identity these bytes are. */
function placeOf(bytes: Uint8Array | undefined, places: readonly Place[]): Place | undefined {
  const identity = bytes === undefined ? "missing" : decodeIdentity(bytes);
  if (typeof identity === "string") return undefined;
  return places.find(({ directory }) => directory.identity.directoryId === identity.directoryId);
}

/** Two directories must be told apart: a copy has the id of what it was copied from. */
function refuseSame(place: Place, places: readonly Place[]): void {
  const { path, identity } = place.directory;
  const same = places.find((one) => one.directory.identity.directoryId === identity.directoryId);
  if (same === undefined) return;
  place.directory.abandon();
  throw new LogDirectoryFault(
    "BAD_SETTING",
    `Cannot use log directory ${path}: it has the directory.id of ${same.directory.path}, ` +
      "so that one of them is a copy of the other",
    `name only one of them in log.dirs, or remove the copy's ${IDENTITY_FILE} where it is empty`,
  );
}

/** By what lies above each on the disk: links are followed, as the system does. */
function refuseNested({ disk }: Env, places: readonly Place[]): void {
  if (places.length < 2) return;
  for (const { directory } of places) {
    let above = directory.path;
    for (let level = 0; level < LEVELS_MAX; level++) {
      above += "/..";
      const outer = placeOf(readIfAllowed(disk, `${above}/${IDENTITY_FILE}`), places);
      if (outer === undefined || outer.directory === directory) continue;
      throw overlap(`${directory.path}, which lies in ${outer.directory.path}`);
    }
  }
}

/** A directory of somebody else's above ours is none of ours. */
function readIfAllowed(disk: Disk, path: string): Uint8Array | undefined {
  try {
    return disk.readWhole(path);
  } catch (error) {
    if (error instanceof DiskFault) return undefined;
    throw error;
  }
}

/** Directories above one that are looked at. */
const LEVELS_MAX = 64;

function overlap(what: string): LogDirectoryFault {
  return new LogDirectoryFault(
    "BAD_SETTING",
    `Cannot use log.dirs: it names ${what}`,
    "name each log directory once, and none inside another",
  );
}
