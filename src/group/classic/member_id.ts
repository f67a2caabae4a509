/** Ids of members as Kafka gives them: who it is, a hyphen, and a random UUID as Java writes it. */
import type { Prng } from "../../ground/prng.ts";
import { textWithin } from "../../ground/text.ts";

/** What the longest string of the protocol leaves before a hyphen and a UUID. */
const PREFIX_BYTES_MAX = 0x7fff - 37;

/** `prefix` is the client id, or the name of a static member. */
export function newMemberId(random: Prng, prefix: string): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40; // version 4
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80; // variant 2 (RFC 4122)
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const groups = [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]] as const;
  return `${textWithin(prefix, PREFIX_BYTES_MAX)}-${
    groups.map(([from, to]) => hex.slice(from, to)).join("-")
  }`;
}
