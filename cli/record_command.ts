/**
 * A command of the shell that is given one record: its value on stdin, what else it is in variables.
 *
 * Exit code 0 means that it is done with the record. Of a failure remains one line for people: how it
 * ended and the last line it wrote to stderr.
 */
import { toBase64 } from "./base64.ts";
import type { Io } from "./io.ts";
import { type Header, toText, toTextExactly } from "./record_text.ts";
import type { Batch } from "./session.ts";
import type { RunningShell, ShellEnd } from "./shell_run.ts";

/** A record that stays as it is while a command runs. */
export interface KeptRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

/** The record that a cursor stands at. */
export function keptRecord(
  cursor: ReturnType<Batch["records"]>,
  topic: string,
  partition: number,
): KeptRecord {
  return {
    topic,
    partition,
    offset: cursor.offset(),
    timestamp: cursor.timestamp(),
    key: cursor.key(),
    value: cursor.value(),
    headers: cursor.headers(),
  };
}

export interface CommandEnd {
  readonly code: number | null;
  readonly isDone: boolean;
  /** As by Ctrl-C, which is meant for `mq` as well; a shell says it by 130 or 143. */
  readonly isInterrupted: boolean;
  /** "exit 5: jq: error …"; "" where it is done. */
  readonly error: string;
}

export interface RecordCommandOptions {
  readonly io: Pick<Io, "runShell" | "stderr">;
  /** What `sh -c` is given. */
  readonly command: string;
  /** See `ShellRun`. */
  onOutput(bytes: Uint8Array): void | Promise<void>;
}

/** The system takes no variable beyond 128 KiB; a character is four bytes at most. */
const VARIABLE_CHARACTERS_MAX = 30_000;
const TAIL_BYTES_MAX = 8192;
const LINE_CHARACTERS_MAX = 500;

const INTERRUPTS = new Set<string | number | null>([
  ...["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"],
  ...[129, 130, 131, 143],
]);

export class RecordCommand {
  readonly #options: RecordCommandOptions;
  #running: RunningShell | undefined;

  constructor(options: RecordCommandOptions) {
    this.#options = options;
  }

  /** Throws what `onOutput` threw, and where no shell can be started. */
  async run(record: KeptRecord, attempt: number): Promise<CommandEnd> {
    const { io, command, onOutput } = this.#options;
    let tail = new Uint8Array(0);
    const shell = io.runShell({
      command,
      environment: variablesOf(record, attempt),
      input: record.value ?? new Uint8Array(0),
      onOutput,
      onError: (bytes) => {
        io.stderr.write(toText(bytes));
        tail = tailOf(tail, bytes);
      },
    });
    this.#running = shell;
    try {
      return commandEnd(await shell.ended, lastLine(toText(tail)));
    } finally {
      this.#running = undefined;
    }
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Asks the one that runs to end. */
  stop(): void {
    this.#running?.stop();
  }
}

function commandEnd({ code, signal }: ShellEnd, line: string): CommandEnd {
  if (code === 0) return { code, isDone: true, isInterrupted: false, error: "" };
  const isInterrupted = INTERRUPTS.has(signal) || INTERRUPTS.has(code);
  const how = code === null ? `signal ${signal}` : `exit ${code}`;
  return { code, isDone: false, isInterrupted, error: line === "" ? how : `${how}: ${line}` };
}

/** What a variable cannot hold is left out; a key that is no text is there in base64. */
function variablesOf(record: KeptRecord, attempt: number): Readonly<Record<string, string>> {
  const { topic, partition, offset, timestamp, key, value, headers } = record;
  const keyText = key === null ? undefined : toTextExactly(key);
  const variables: Record<string, string> = {
    MQ_TOPIC: topic,
    MQ_PARTITION: String(partition),
    MQ_OFFSET: String(offset),
    MQ_TIMESTAMP: String(timestamp),
    MQ_ATTEMPT: String(attempt),
    MQ_HEADERS: JSON.stringify(
      headers.map(([name, bytes]) => [name, bytes === null ? null : toText(bytes)]),
    ),
  };
  if (keyText !== undefined && !keyText.includes("\0")) variables["MQ_KEY"] = keyText;
  else if (key !== null) variables["MQ_KEY_BASE64"] = toBase64(key);
  if (value === null) variables["MQ_TOMBSTONE"] = "1";
  return Object.fromEntries(
    Object.entries(variables).filter(([, text]) => text.length < VARIABLE_CHARACTERS_MAX),
  );
}

function tailOf(tail: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(tail.length + bytes.length);
  whole.set(tail);
  whole.set(bytes, tail.length);
  return whole.slice(-TAIL_BYTES_MAX);
}

/** The last line that says something, shortened. */
function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim()).filter((line) => line !== "");
  return (lines.at(-1) ?? "").slice(0, LINE_CHARACTERS_MAX);
}
