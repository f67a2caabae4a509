/** A dead letter whose value a command has made anew: `mq dlq redrive --edit`. */
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { type KeptRecord, RecordCommand } from "./record_command.ts";

const EDITED_BYTES_MAX = 64 * 1024 * 1024;

/** Throws where the command fails. */
export async function editedLetter(
  io: Io,
  command: string,
  letter: KeptRecord,
): Promise<KeptRecord> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const shell = new RecordCommand({
    io,
    command,
    onOutput: (part) => {
      parts.push(part.slice());
      bytes += part.length;
      if (bytes > EDITED_BYTES_MAX) throw editFailure(letter, "it wrote more than 64 MiB");
    },
  });
  const end = await shell.run(letter, 1);
  if (!end.isDone) throw editFailure(letter, end.error);
  return { ...letter, value: editedValue(letter.value, parts, bytes) };
}

/** Editors of text end their last line; a value that had no such end keeps to that. */
function editedValue(
  before: Uint8Array | null,
  parts: readonly Uint8Array[],
  byteLength: number,
): Uint8Array | null {
  if (before === null && byteLength === 0) return null;
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const newline = 0x0a;
  const isAdded = whole.at(-1) === newline && before?.at(-1) !== newline;
  return isAdded ? whole.subarray(0, -1) : whole;
}

function editFailure({ topic, partition, offset }: KeptRecord, error: string): Failure {
  const place = `offset ${offset} of ${topic}-${partition}`;
  return new Failure("EXEC_FAILED", `Cannot edit the letter at ${place}: ${error}`, {
    hint: "Mend --edit and begin again: what was put back before is not put back again",
  });
}
