/** Hands the parts of a frame to a stream: small ones joined, so that they leave in one write. */
import type { Stream } from "../env/network.ts";
import { concat } from "../ground/concat.ts";

/** Above this a copy costs more than a write. */
const JOIN_BYTES_MAX = 32 * 1024;

/** False where the peer does not keep up. */
export function writeParts(stream: Stream, parts: readonly Uint8Array[]): boolean {
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0);
  if (parts.length > 1 && byteLength <= JOIN_BYTES_MAX) {
    return stream.write(concat(parts));
  }
  let keepsUp = true;
  for (const part of parts) keepsUp = stream.write(part);
  return keepsUp;
}
