/**
 * Makes empty directories a node's own before it starts: cluster, node and a fresh directory id in
 * `meta.properties` (`mq storage format`).
 *
 * Looks at all of them before it writes into the first, and never writes into one that holds anything:
 * data without an identity may be a disk whose `meta.properties` was lost.
 */
import { type Disk, DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import { type Uuid, uuidFromEntropy } from "../ground/uuid.ts";
import {
  decodeIdentity,
  type DirectoryIdentity,
  IDENTITY_FILE,
} from "../log/directory/directory_identity.ts";
import { LogDirectoryFault } from "../log/directory/log_directory_fault.ts";
import { faultOf, openDirectory } from "../log/directory/log_directory_open.ts";

export interface FormatOptions {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directories: readonly string[];
  /** Content with directories that are this node's already. */
  readonly isContentWithFormatted?: boolean;
}

export interface FormattedDirectory extends DirectoryIdentity {
  readonly path: string;
  /** False where it was this node's already. */
  readonly isNew: boolean;
}

/** Why a directory is not formatted. */
export class FormatFault extends Error {
  override readonly name = "FormatFault";
  readonly code: string;
  readonly hint: string;
  constructor(code: string, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** What a file system or an earlier start leaves in a directory that nobody has used. */
const NO_DATA = new Set(["lost+found", ".lock"]);
const CLUSTER_ID = /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,63}$/;

/** A fresh id for a cluster. */
export function randomClusterId(env: Pick<Env, "crypto">): Uuid {
  return uuidFromEntropy(env.crypto.randomBytes(16));
}

/** Throws a `FormatFault` or a `LogDirectoryFault`. */
export async function formatStorage(
  env: Env,
  options: FormatOptions,
): Promise<readonly FormattedDirectory[]> {
  const { clusterId, directories } = options;
  if (!CLUSTER_ID.test(clusterId)) {
    throw new FormatFault(
      "BAD_SETTING",
      `Invalid cluster id '${clusterId}'`,
      "mq storage random-id gives a fresh one",
    );
  }
  try {
    const isFormatted = directories.map((path) => isOurs(env.disk, path, options));
    const formatted: FormattedDirectory[] = [];
    for (const [index, path] of directories.entries()) {
      // deno-lint-ignore no-await-in-loop -- one after the other, so that a fault leaves the rest alone
      const identity = await formatOne(env, path, options);
      formatted.push({ path, ...identity, isNew: isFormatted[index] !== true });
    }
    return formatted;
  } catch (fault) {
    throw fault instanceof DiskFault ? faultOf(fault) : fault;
  }
}

/** Whether it is this node's already. Throws where it is somebody's, or holds what is not known. */
function isOurs(disk: Disk, path: string, options: FormatOptions): boolean {
  const bytes = disk.readWhole(`${path}/${IDENTITY_FILE}`);
  if (bytes === undefined) {
    refuseData(disk, path);
    return false;
  }
  const identity = decodeIdentity(bytes);
  if (typeof identity === "string") {
    throw new LogDirectoryFault(
      "CORRUPT",
      `Cannot read ${path}/${IDENTITY_FILE}: ${identity}`,
      "Restore the file, or choose another directory",
    );
  }
  const { clusterId, nodeId } = options;
  const isSame = identity.clusterId === clusterId && identity.nodeId === nodeId;
  if (isSame && options.isContentWithFormatted === true) return true;
  throw new FormatFault(
    "ALREADY_FORMATTED",
    `Cannot format ${path}: it belongs to node ${identity.nodeId} of cluster ${identity.clusterId}`,
    isSame
      ? "It can be used as it is; --ignore-formatted makes this no error"
      : "Choose another directory; nothing is ever formatted over",
  );
}

function refuseData(disk: Disk, path: string): void {
  const found = disk.list(path).find(({ name }) => !NO_DATA.has(name));
  if (found === undefined) return;
  throw new FormatFault(
    "NOT_EMPTY",
    `Cannot format ${path}: it has no ${IDENTITY_FILE}, but it holds '${found.name}'`,
    `Choose an empty directory, or restore ${IDENTITY_FILE} where it was lost`,
  );
}

async function formatOne(
  env: Env,
  path: string,
  { clusterId, nodeId }: FormatOptions,
): Promise<DirectoryIdentity> {
  const { disk, clock, trace } = env;
  const directoryId = uuidFromEntropy(env.crypto.randomBytes(16));
  return await openDirectory(
    {
      disk,
      clock,
      trace,
      path,
      reserveBytes: 0,
      clusterId,
      nodeId,
      newIds: { clusterId, directoryId },
    },
    ({ identity, lock }) => {
      lock.release();
      return identity;
    },
  );
}
