/** Hands the parts of a frame to a stream: small ones joined, so that they leave in one write. */
import type { Stream } from "../env/network.ts";

/** Above this a copy costs more than a write. */
const JOIN_BYTES_MAX = 32 * 1024;

/** False where the peer does not keep up. */
export function writeParts(stream: Stream, parts: readonly Uint8Array[]): boolean {
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0);
  if (parts.length > 1 && byteLength <= JOIN_BYTES_MAX) {
    return stream.write(join(parts, byteLength));
  }
  let keepsUp = true;
  for (const part of parts) keepsUp = stream.write(part);
  return keepsUp;
}

function join(parts: readonly Uint8Array[], byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
