/** Which process has the other end of a loopback connection, as Linux tells it under /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The first of the processes that has a socket from `sourcePort` to `targetPort`, both on loopback. */
export function socketOwner(
  sourcePort: number,
  targetPort: number,
  pids: Iterable<number>,
): number | undefined {
  const inode = socketInode(sourcePort, targetPort);
  if (inode === undefined) return undefined;
  const wanted = `socket:[${inode}]`;
  for (const pid of pids) if (hasDescriptor(pid, wanted)) return pid;
  return undefined;
}

/** A line is `n: LOCAL:PORT REMOTE:PORT state … inode …`, with ports in hexadecimal digits. */
function socketInode(sourcePort: number, targetPort: number): string | undefined {
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(table, "latin1").split("\n")) {
      const [, local = "", remote = "", , , , , , , inode] = line.trim().split(/\s+/);
      if (portOf(local) === sourcePort && portOf(remote) === targetPort && inode !== "0") {
        return inode;
      }
    }
  }
  return undefined;
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(":") + 1), 16);
}

function hasDescriptor(pid: number, wanted: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => linkTarget(`${folder}/${name}`) === wanted);
  } catch {
    return false; // the process has ended
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed in this moment
  }
}
