/** A whole file by its name; "-" is stdin. */
import type { Context } from "./context.ts";
import { attempt, Failure } from "./failure.ts";
import { toText } from "./record_text.ts";

const INPUT_BYTES_MAX = 64 * 1024 * 1024;
const ROOM_BYTES = 64 * 1024;

export async function readInput({ io }: Context, name: string): Promise<string> {
  if (name !== "-") return toText(attempt(`Cannot read ${name}`, () => io.files.read(name)));
  const decoder = new TextDecoder();
  const room = new Uint8Array(ROOM_BYTES);
  let text = "";
  for (;;) {
    // deno-lint-ignore no-await-in-loop -- the next piece comes behind this one
    const count = await io.stdin.read(room);
    if (count === 0) return text + decoder.decode();
    text += decoder.decode(room.subarray(0, count), { stream: true });
    if (text.length > INPUT_BYTES_MAX) {
      throw new Failure(
        "BAD_INPUT",
        `Cannot read stdin: it is longer than ${INPUT_BYTES_MAX} bytes`,
      );
    }
  }
}
