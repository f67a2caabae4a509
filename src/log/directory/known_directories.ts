/**
 * `log-directories`, beside the metadata log: which log directories this broker had when it last ran.
 *
 *     0                                 version
 *     Kq3m1… /disks/one                 directory.id and path, one line each
 *
 * A file system that is not mounted leaves an empty directory in its place, and an empty directory is
 * not refused: without this file the partitions that lie on the other would be made anew there, empty.
 * A hint in the other direction: where it is missing, nothing is missed.
 */
import { bytesOf, textOf } from "../../ground/text.ts";

export const KNOWN_DIRECTORIES_FILE = "log-directories";
const VERSION = "0";
const LINE = /^(\S+) (.+)$/;

export interface KnownDirectory {
  readonly directoryId: string;
  readonly path: string;
}

export function encodeKnownDirectories(known: readonly KnownDirectory[]): Uint8Array {
  const lines = known.map(({ directoryId, path }) => `${directoryId} ${path}\n`);
  return bytesOf(`${VERSION}\n${lines.join("")}`);
}

/** Undefined where the bytes are no such file. */
export function decodeKnownDirectories(bytes: Uint8Array): readonly KnownDirectory[] | undefined {
  const [version, ...lines] = textOf(bytes).split("\n");
  if (version !== VERSION || lines.pop() !== "") return undefined;
  const known: KnownDirectory[] = [];
  for (const line of lines) {
    const [, directoryId, path] = LINE.exec(line) ?? [];
    if (directoryId === undefined || path === undefined) return undefined;
    known.push({ directoryId, path });
  }
  return known;
}
