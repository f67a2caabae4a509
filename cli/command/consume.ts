/**
 * `mq consume`: reads records of a range of offsets, or follows.
 *
 * What was read is written in large pieces, and at once when nothing more is at hand. When the reader
 * of stdout goes, the command ends with 0; a signal ends it with 130 or 143 after everything that was
 * read is out.
 */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, failureOf, usageFailure } from "../failure.ts";
import { type OffsetRange, parseOffsetRange } from "../offset_range.ts";
import { OutputBuffer } from "../output_buffer.ts";
import type { Flags } from "../parse_line.ts";
import { parsePartitions, requireWhole } from "../quantity.ts";
import { recordWriter, type WriteRecord } from "../record_writer.ts";
import { type Client, connectFirst, timeoutOf } from "../session.ts";
import { type Retry, WaitNotice } from "../wait_notice.ts";

type Assignments = Parameters<Client["consumer"]>[0]["assignments"];

export const consume: CommandSpec = {
  path: "consume",
  summary: "Read records: a range of offsets or times, or follow",
  arguments: [{ name: "TOPIC", isMany: true }],
  flags: [
    {
      name: "offset",
      short: "o",
      value: "RANGE",
      summary:
        "which records: start, end, N, -N, A:B, @TIME, … (mq help offsets); end where left out",
    },
    {
      name: "until-end",
      short: "e",
      summary: "stop at the end as it is now; without -o from the start",
    },
    { name: "num", short: "n", value: "N", summary: "stop after so many records" },
    { name: "partition", short: "p", value: "LIST", summary: "only these partitions: 0,2,4-6" },
    {
      name: "format",
      short: "f",
      value: "FORMAT",
      summary: "value, kv, json, or a template: '%t %p %o %k %v\\n' (mq help formatting)",
    },
    {
      name: "delimiter",
      short: "D",
      value: "SEP",
      summary: "what ends a record, in place of newline",
    },
    { name: "nul", short: "0", summary: "a NUL ends a record, for xargs -0" },
    {
      name: "null",
      value: "TEXT",
      summary: "how a null key or value is written; nothing where left out",
    },
    { name: "read-committed", summary: "leave out records of open and aborted transactions" },
  ],
  details: [
    "Without -o it starts at the end and follows. A range A:B ends by itself, and B is not included; " +
    "a B that is an offset beyond the end is waited for. Partitions are read side by side: records of " +
    "one partition keep their order.",
    "--timeout ends it; that is an error (5) where -n or the end of a range was not reached. -n that " +
    "a range cannot fill is the same error.",
    "A broker that is away is waited for, half a minute at most; after a few seconds stderr says so. A " +
    "batch that is damaged on its disk, or a log that cannot be read, is an error (1): what lies " +
    "before it was written, and -o N reads on behind it. mq log verify and mq log repair help on the " +
    "machine of the broker.",
  ],
  examples: [
    ["Everything, then stop", "mq consume orders -o start:end"],
    ["Follow, as tail -f", "mq consume logs"],
    ["The last ten as JSON", "mq consume orders -o -10:end -f json | jq ."],
    ["An hour of yesterday", "mq consume orders -o @2026-01-02T09:00Z:+1h"],
    ["Wait for the next record", "mq consume orders -n 1 --timeout 10s"],
    ["Values that hold newlines", "mq consume files -o start:end -0 | xargs -0 -n1 process"],
  ],
  run: (context) => new Consumption(context).run(),
};

const NUM_MAX = Number.MAX_SAFE_INTEGER;

class Consumption {
  readonly #context: Context;
  readonly #range: OffsetRange;
  readonly #partitions: readonly number[] | undefined;
  readonly #num: number | undefined;
  readonly #write: WriteRecord;
  readonly #out: OutputBuffer;
  readonly #stop = new AbortController();
  readonly #notice: WaitNotice;
  #written = 0;

  constructor(context: Context) {
    const { flags, io } = context;
    const num = flags.text("num");
    const partitions = flags.text("partition");
    this.#context = context;
    this.#range = rangeOf(flags, io.now());
    this.#num = num === undefined ? undefined : requireWhole(num, "num", [0, NUM_MAX]);
    this.#partitions = partitions === undefined ? undefined : parsePartitions(partitions);
    this.#write = recordWriter(flags);
    this.#out = new OutputBuffer(io, { onFailure: () => this.#stop.abort() });
    const limit = "for half a minute at most";
    this.#notice = new WaitNotice({ printer: context.printer, now: () => io.now(), limit });
  }

  async run(): Promise<ExitCode> {
    const { lifeline } = this.#context;
    const timeoutMs = timeoutOf(this.#context);
    const onAbort = (): void => this.#stop.abort();
    lifeline.signal.addEventListener("abort", onAbort, { once: true });
    const client = await connectFirst(this.#context, lifeline.signal);
    if (timeoutMs !== undefined) lifeline.setDeadline(timeoutMs);
    try {
      await this.#read(client);
    } catch (error) {
      // The error that stopping left behind is not the reason; what was read is still written.
      if (!this.#stop.signal.aborted) throw withRemedy(error);
    } finally {
      await this.#out.finish();
      await client[Symbol.asyncDispose]();
    }
    return this.#conclude();
  }

  async #read(client: Client): Promise<void> {
    const assignments = await this.#assignments(client);
    if (this.#num === 0) return;
    const consumer = client.consumer({
      assignments,
      isolation: this.#isolation,
      signal: this.#stop.signal,
      onRetry: (retry) => this.#notice.onRetry(retry),
    });
    for await (const batch of consumer.batches()) {
      this.#notice.onProgress(batch.topic, batch.partition);
      const records = batch.records();
      while (records.next()) {
        this.#write(this.#out, records, batch.topic, batch.partition);
        if (++this.#written === this.#num) return;
        if (this.#out.isFull) await this.#out.drain();
      }
    }
  }

  get #isolation(): "read_committed" | "read_uncommitted" {
    return this.#context.flags.isSet("read-committed") ? "read_committed" : "read_uncommitted";
  }

  /** Everything is settled here, so that a range with an end ends. Throws where there is no such topic. */
  async #assignments(client: Client): Promise<Assignments> {
    const { resolveOffsets } = await this.#context.library();
    const { from, until } = this.#range;
    const length = until?.kind === "length" ? until.count : undefined;
    const range = until === undefined || until.kind === "length" ? { from } : { from, until };
    const options = {
      isolation: this.#isolation,
      onRetry: (retry: Retry): void => this.#notice.onRetry(retry),
      ...(this.#partitions === undefined ? {} : { partitions: this.#partitions }),
    };
    const topics = [...new Set(this.#context.arguments)];
    const resolved = await Promise.all(
      topics.map((topic) => resolveOffsets(client, topic, range, options)),
    );
    return resolved.flat().map((assignment) =>
      length === undefined ? assignment : { ...assignment, until: assignment.from + length }
    );
  }

  #conclude(): ExitCode {
    const { lifeline, io, printer } = this.#context;
    const isGoal = this.#num !== undefined || this.#range.until !== undefined;
    const wanted = this.#num === undefined ? "" : ` of ${this.#num}`;
    const told = `${this.#written}${wanted} records`;
    if (lifeline.expiredMs !== undefined && isGoal) {
      const reason = this.#notice.reason();
      const why = reason === undefined ? "" : `; the last try: ${reason.message}`;
      throw new Failure("TIMEOUT", `Gave up after ${lifeline.expiredMs} ms with ${told}${why}`, {
        // Where something is wrong, that is to be mended; waiting longer is no remedy.
        hint: reason === undefined ? "Allow more time with --timeout" : reason.hint,
        retriable: true,
      });
    }
    const isShort = this.#num !== undefined && this.#written < this.#num;
    if (isShort && !this.#stop.signal.aborted) {
      throw new Failure("TOO_FEW", `The range ends after ${told}`, {
        exitCode: ExitCode.Unreachable,
      });
    }
    if (!io.stdout.isTerminal) printer.remark(told);
    return ExitCode.Done;
  }
}

/** The library knows that a batch is damaged, but not the commands that help. */
function withRemedy(error: unknown): unknown {
  const failure = failureOf(error);
  if (failure.code !== "CORRUPT_MESSAGE") return error;
  return new Failure(failure.code, failure.message, {
    hint:
      "On the broker's machine mq log verify tells which offsets are lost and mq log repair cuts " +
      "them out; -o reads on behind them",
    cause: error,
  });
}

/** -o and -e together. */
function rangeOf(flags: Flags, now: number): OffsetRange {
  const text = flags.text("offset");
  const isUntilEnd = flags.isSet("until-end");
  const range = parseOffsetRange(text ?? (isUntilEnd ? "start" : "end"), now);
  if (!isUntilEnd) return range;
  if (range.until === undefined) return { ...range, until: { kind: "end" } };
  throw usageFailure("Conflicting flags --until-end and --offset with an end of its own");
}
