/**
 * Has records processed by a command: tries each several times, then sets it aside or gives up.
 *
 * A record is dealt with when the command has succeeded, or when a dead-letter topic holds it. Both
 * loops are bounded: tries of one record by --retries, and dead letters in a row by --dlq-max, since
 * what fails for every record is the command or what it talks to, not the records.
 */
import type { Context } from "./context.ts";
import type { DeadLetterQueue } from "./dead_letter_queue.ts";
import { Failure } from "./failure.ts";
import { pause } from "./pause.ts";
import { type CommandEnd, type KeptRecord, RecordCommand } from "./record_command.ts";

export interface RecordWorkerOptions {
  readonly context: Context;
  readonly command: string;
  /** Tries beyond the first. */
  readonly retries: number;
  /** Where records go that are given up; undefined = the first one ends the work. */
  readonly deadLetters: DeadLetterQueue | undefined;
  readonly deadLettersInRowMax: number;
  /** No new try is begun after it has fired. */
  readonly signal: AbortSignal;
  /** Whether a record is still this reader's. */
  isHeld(record: KeptRecord): boolean;
  onOutput(bytes: Uint8Array): void | Promise<void>;
}

const FIRST_DELAY_MS = 200;
const DELAY_MS_MAX = 30_000;
/** How soon a wait hears that its record is somebody else's. */
const SLICE_MS = 500;
/**
 * How much later than the end of the command a signal may be heard of that was meant for both: 0.2 ms was
 * seen. Every record that is given up waits so long.
 */
const CHANCE_MS = 5;
/** The same where such a signal has ended the command: a record waits, and none is given up wrongly. */
const INTERRUPT_MS = 2000;
/** How long a command may go on after a signal; the program itself ends after ten seconds. */
const LAST_RECORD_MS = 5000;

export class RecordWorker {
  readonly #options: RecordWorkerOptions;
  readonly #command: RecordCommand;
  #inRow = 0;
  #deadLetterCount = 0;

  constructor(options: RecordWorkerOptions) {
    const { context, command, signal } = options;
    const { io } = context;
    this.#options = options;
    this.#command = new RecordCommand({
      io,
      command,
      onOutput: (bytes) => options.onOutput(bytes),
    });
    const onAbort = (): void => {
      if (this.#command.isRunning) {
        const seconds = LAST_RECORD_MS / 1000;
        context.printer.remark(
          `the command may go on for ${seconds} s; a second signal ends it now`,
        );
      }
      io.after(LAST_RECORD_MS, () => this.#command.stop());
    };
    signal.addEventListener("abort", onAbort, { once: true });
  }

  get deadLetterCount(): number {
    return this.#deadLetterCount;
  }

  /** Resolves to whether the record is dealt with; false = it was stopped, or lost its record. */
  async work(record: KeptRecord): Promise<boolean> {
    const { retries } = this.#options;
    let end: CommandEnd | undefined;
    for (let attempt = 1; attempt <= retries + 1; attempt++) {
      if (!this.#isWanted(record)) return false;
      if (attempt > 1) this.#remark(record, end?.error ?? "", attempt);
      end = await this.#command.run(record, attempt);
      if (end.isDone) {
        this.#inRow = 0;
        return true;
      }
      rejectCommand(end);
      if (attempt <= retries) await this.#wait(record, delayMs(attempt));
    }
    // A Ctrl-C, or a service that is stopped, ends the command as well; that is no fault of the
    // record. Who of the two is heard of first is chance.
    await this.#wait(record, end?.isInterrupted === true ? INTERRUPT_MS : CHANCE_MS);
    if (!this.#isWanted(record)) return false;
    await this.#giveUp(record, end?.error ?? "");
    return true;
  }

  #isWanted(record: KeptRecord): boolean {
    const { signal, isHeld } = this.#options;
    return !signal.aborted && isHeld(record);
  }

  async #wait(record: KeptRecord, delayMs: number): Promise<void> {
    const { context: { io }, signal } = this.#options;
    for (let left = delayMs; left > 0 && this.#isWanted(record); left -= SLICE_MS) {
      await pause(io, Math.min(left, SLICE_MS), signal);
    }
  }

  async #giveUp(record: KeptRecord, error: string): Promise<void> {
    const { context: { printer }, deadLetters, deadLettersInRowMax, retries } = this.#options;
    const attempts = retries + 1;
    const told = `${error} (${attempts} ${attempts === 1 ? "try" : "tries"})`;
    const where = placeOf(record);
    if (deadLetters === undefined) {
      throw new Failure("EXEC_FAILED", `Cannot process the record at ${where}: ${told}`, {
        hint: "--dlq TOPIC sets such records aside and goes on; --retries tries more often",
      });
    }
    if (this.#inRow >= deadLettersInRowMax) {
      throw new Failure(
        "EXEC_FAILED",
        `Stopped at ${where}: ${this.#inRow} records in a row went to ${deadLetters.topic}, ` +
          `and this one fails too: ${told}`,
        {
          hint: "Is the command or what it talks to broken? Mend it and start again; --dlq-max " +
            `allows more in a row, mq dlq redrive ${deadLetters.topic} puts them back`,
        },
      );
    }
    const isMade = await deadLetters.put(record, error, attempts);
    this.#inRow++;
    this.#deadLetterCount++;
    if (isMade) printer.say(`created topic ${deadLetters.topic}, which keeps records for ever`);
    printer.warn(`the record at ${where} went to ${deadLetters.topic}: ${told}`);
  }

  #remark(record: KeptRecord, error: string, attempt: number): void {
    const { context: { printer }, retries } = this.#options;
    printer.remark(`${error}; try ${attempt} of ${retries + 1} for ${placeOf(record)}`);
  }
}

/** No record can make the shell miss the command; a dead-letter topic would fill up with all of them. */
function rejectCommand({ code, error }: CommandEnd): void {
  if (code !== 126 && code !== 127) return;
  const what = code === 127 ? "it was not found" : "it cannot be run";
  throw new Failure("EXEC_FAILED", `Cannot run the command: ${what} (${error})`, {
    hint: "Check --exec: it is given to sh -c, with the PATH of mq itself",
  });
}

function placeOf({ topic, partition, offset }: KeptRecord): string {
  return `offset ${offset} of ${topic}-${partition}`;
}

/** 0.2 s, 0.4 s, 0.8 s … */
function delayMs(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), DELAY_MS_MAX);
}
