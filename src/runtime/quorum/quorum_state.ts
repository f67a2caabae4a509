/**
 * `quorum-state`: the term and the vote, which a voter may never forget (Raft figure 2).
 *
 *     {"version":0,"term":7,"votedId":1,"votedDirectoryId":"…"}     one line of JSON
 *     9ae1f00b                                                     its CRC-32C, newline included
 *
 * Without a vote in the term the two fields of it are left out. A file that is not byte for byte what
 * this writes is refused: a vote that is guessed may elect two leaders. Source: kafka: FileQuorumStateStore.
 */
import type { Disk } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { bytesOf, textOf } from "../../ground/text.ts";
import { parseUuid } from "../../ground/uuid.ts";
import { writeAtomically } from "../../log/atomic_file.ts";
import type { HardState } from "../../raft/ready.ts";
import { MetadataCorrupt } from "./not_controller.ts";

export const QUORUM_STATE_FILE = "quorum-state";
const VERSION = 0;
const TERM_MAX = 0x7fff_ffff;

export function encodeQuorumState({ term, votedFor }: HardState, crc32c: Crc32c): Uint8Array {
  const vote = votedFor === undefined
    ? {}
    : { votedId: votedFor.id, votedDirectoryId: votedFor.directoryId };
  const line = `${JSON.stringify({ version: VERSION, term, ...vote })}\n`;
  return bytesOf(`${line}${crc32c(bytesOf(line)).toString(16).padStart(8, "0")}\n`);
}

/** The state, or the reason why it is none. */
export function decodeQuorumState(bytes: Uint8Array, crc32c: Crc32c): HardState | string {
  const text = textOf(bytes);
  const [line = "", digits = "", ...rest] = text.split("\n");
  if (rest.length !== 1 || rest[0] !== "") return "it is not two lines";
  if (crc32c(bytesOf(`${line}\n`)).toString(16).padStart(8, "0") !== digits) {
    return "its checksum is wrong";
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "it is not JSON";
  }
  const state = asHardState(value);
  if (typeof state === "string") return state;
  return textOf(encodeQuorumState(state, crc32c)) === text ? state : "it says more than it should";
}

/** Undefined where there is no such file. Throws `MetadataCorrupt`. */
export function readQuorumState(
  disk: Disk,
  directory: string,
  crc32c: Crc32c,
): HardState | undefined {
  const path = `${directory}/${QUORUM_STATE_FILE}`;
  const bytes = disk.readWhole(path);
  if (bytes === undefined) return undefined;
  const state = decodeQuorumState(bytes, crc32c);
  if (typeof state !== "string") return state;
  throw new MetadataCorrupt(
    `Cannot use ${path}: ${state}; nothing was changed. It says for whom this node voted, so it ` +
      "cannot be made anew: remove the node from the quorum and add it again with an empty disk, or " +
      "put the file back from a copy that is not older",
  );
}

export async function writeQuorumState(
  disk: Disk,
  directory: string,
  { state, crc32c }: { readonly state: HardState; readonly crc32c: Crc32c },
): Promise<void> {
  await writeAtomically(
    disk,
    `${directory}/${QUORUM_STATE_FILE}`,
    encodeQuorumState(state, crc32c),
  );
}

function asHardState(value: unknown): HardState | string {
  if (typeof value !== "object" || value === null) return "it is not an object";
  const { version, term, votedId, votedDirectoryId } = value as Record<string, unknown>;
  if (version !== VERSION) return `its version ${String(version)} is not known`;
  if (!Number.isSafeInteger(term) || (term as number) < 0 || (term as number) > TERM_MAX) {
    return "it has no term";
  }
  if (votedId === undefined && votedDirectoryId === undefined) return { term: term as number };
  const directoryId = typeof votedDirectoryId === "string"
    ? parseUuid(votedDirectoryId)
    : undefined;
  if (!Number.isSafeInteger(votedId) || directoryId === undefined) return "its vote is none";
  return { term: term as number, votedFor: { id: votedId as number, directoryId } };
}
