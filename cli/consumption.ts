/**
 * One run of `mq consume`.
 *
 * What was read is written in large pieces, and at once when nothing more is at hand; or a command is
 * run for each record. When the reader of stdout goes, the command ends with 0; a signal ends it with
 * 130 or 143 after everything that was read is out. A group hears of what was delivered, and no more.
 */
import type { Context } from "./context.ts";
import { DeadLetterQueue } from "./dead_letter_queue.ts";
import { Deliveries } from "./deliveries.ts";
import { ExitCode } from "./exit_code.ts";
import { BrokenPipe, Failure, failureOf, usageFailure } from "./failure.ts";
import { type Membership, membershipOf, type Processing, processingOf } from "./group_flags.ts";
import { GroupSource } from "./group_source.ts";
import { type OffsetRange, parseOffsetRange } from "./offset_range.ts";
import { OutputBuffer } from "./output_buffer.ts";
import { parsePartitions, requireWhole } from "./quantity.ts";
import { keptRecord } from "./record_command.ts";
import { RangeSource, type RecordSource } from "./record_source.ts";
import { RecordWorker } from "./record_worker.ts";
import { recordWriter, type WriteRecord } from "./record_writer.ts";
import { type Batch, type Client, connectFirst, connectToFinish, timeoutOf } from "./session.ts";
import { type Retry, WaitNotice } from "./wait_notice.ts";

type Assignments = Parameters<Client["consumer"]>[0]["assignments"];

const NUM_MAX = Number.MAX_SAFE_INTEGER;

export class Consumption {
  readonly #context: Context;
  readonly #topics: readonly string[];
  readonly #range: OffsetRange;
  readonly #partitions: readonly number[] | undefined;
  readonly #num: number | undefined;
  readonly #membership: Membership | undefined;
  readonly #processing: Processing | undefined;
  readonly #write: WriteRecord;
  readonly #out: OutputBuffer;
  readonly #deliveries: Deliveries;
  readonly #stop = new AbortController();
  readonly #notice: WaitNotice;
  #source: RecordSource | undefined;
  /** The record a command is at work on. */
  #work: Promise<boolean> | undefined;
  #handled = 0;

  constructor(context: Context) {
    const { flags, io } = context;
    const num = flags.text("num");
    const partitions = flags.text("partition");
    this.#context = context;
    this.#topics = [...new Set(context.arguments)];
    this.#membership = membershipOf(flags);
    this.#processing = processingOf(flags, this.#topics);
    this.#range = rangeOf(context, this.#membership !== undefined);
    this.#num = num === undefined ? undefined : requireWhole(num, "num", [0, NUM_MAX]);
    this.#partitions = partitions === undefined ? undefined : parsePartitions(partitions);
    this.#write = recordWriter(flags);
    this.#out = new OutputBuffer(io, {
      onFailure: () => this.#stop.abort(),
      onWritten: () => this.#deliveries.onWritten(),
    });
    this.#deliveries = new Deliveries(
      this.#out,
      (topic, partition, nextOffset) => this.#source?.onDelivered(topic, partition, nextOffset),
    );
    const limit = "for half a minute at most";
    this.#notice = new WaitNotice({ printer: context.printer, now: () => io.now(), limit });
  }

  async run(): Promise<ExitCode> {
    const { io, lifeline } = this.#context;
    const timeoutMs = timeoutOf(this.#context);
    const onAbort = (): void => this.#stop.abort();
    lifeline.signal.addEventListener("abort", onAbort, { once: true });
    // A group is to hear of the end: a signal must not cut its connection.
    const client = this.#membership === undefined
      ? await connectFirst(this.#context, lifeline.signal)
      : await connectToFinish(this.#context);
    if (timeoutMs !== undefined) lifeline.setDeadline(timeoutMs);
    // On a quiet topic there may be nothing to write for hours. A command does its work without a reader.
    const reader = this.#processing === undefined
      ? io.onReaderGone(() => this.#out.abandon(new BrokenPipe("stdout was closed")))
      : undefined;
    let isBroken = true;
    try {
      await this.#read(client);
      isBroken = false;
    } catch (error) {
      // The error that stopping left behind is not the reason; what was read is still written.
      if (!this.#stop.signal.aborted) throw withRemedy(error);
      isBroken = false;
    } finally {
      reader?.cancel();
      await this.#end(client, isBroken);
    }
    return this.#conclude();
  }

  /** What was read is written; only then the group is told. */
  async #end(client: Client, isBroken: boolean): Promise<void> {
    try {
      const isWritten = await this.#out.finish().then(() => true, () => false);
      const closing = this.#source?.close(isWritten);
      // An error that is under way says more; the reader of a pipe that has gone asks for nothing.
      await (isWritten && !isBroken ? closing : closing?.catch(() => undefined));
      await this.#out.finish(); // throws what the stream threw
    } finally {
      await client[Symbol.asyncDispose]();
    }
  }

  async #read(client: Client): Promise<void> {
    if (this.#num === 0) return;
    const source = await this.#openSource(client);
    this.#source = source;
    if (this.#processing === undefined) await this.#writeAll(source);
    else await this.#processAll(client, source, this.#processing);
  }

  async #openSource(client: Client): Promise<RecordSource> {
    const options = {
      isolation: this.#isolation,
      onRetry: (retry: Retry): void => this.#notice.onRetry(retry),
    };
    if (this.#membership === undefined) {
      const assignments = await this.#assignments(client);
      const signal = this.#stop.signal;
      return new RangeSource(client.consumer({ ...options, assignments, signal }));
    }
    return await GroupSource.create({
      ...options,
      context: this.#context,
      client,
      topics: this.#topics,
      membership: this.#membership,
      range: this.#range,
      stop: this.#stop.signal,
      settled: () => this.#settled(),
    });
  }

  /** Nothing that was read so far is on its way any more. */
  async #settled(): Promise<void> {
    await this.#work?.catch(() => undefined); // whoever runs it hears of that
    await this.#deliveries.settled();
  }

  async #writeAll(source: RecordSource): Promise<void> {
    for await (const batch of source.batches()) {
      const { topic, partition } = batch;
      this.#notice.onProgress(topic, partition);
      const until = source.until(topic, partition);
      const records = batch.records();
      let isHeld = source.isHeld(topic, partition);
      while (isHeld && records.next() && records.offset() < until) {
        this.#write(this.#out, records, topic, partition);
        const isLast = ++this.#handled === this.#num;
        if (!isLast && !this.#out.isFull) continue;
        this.#deliveries.mark(topic, partition, records.offset() + 1);
        if (isLast) return;
        await this.#out.drain();
        isHeld = source.isHeld(topic, partition);
      }
      if (isHeld) await this.#endBatch(source, batch);
    }
  }

  async #processAll(client: Client, source: RecordSource, processing: Processing): Promise<void> {
    const { deadLetterTopic } = processing;
    const onRetry = (retry: Retry): void => this.#notice.onRetry(retry);
    const deadLetters = deadLetterTopic === undefined
      ? undefined
      : new DeadLetterQueue({ client, topic: deadLetterTopic, onRetry });
    const worker = new RecordWorker({
      context: this.#context,
      ...processing,
      deadLetters,
      signal: this.#stop.signal,
      isHeld: ({ topic, partition }) => source.isHeld(topic, partition),
      onOutput: (bytes) => {
        this.#out.put(bytes);
        return this.#out.isFull ? this.#out.drain() : undefined;
      },
    });
    try {
      for await (const batch of source.batches()) {
        this.#notice.onProgress(batch.topic, batch.partition);
        if (!await this.#processBatch(source, worker, batch)) return;
      }
    } finally {
      await deadLetters?.close();
    }
  }

  /** One record after the other; resolves to whether to go on. */
  async #processBatch(source: RecordSource, worker: RecordWorker, batch: Batch): Promise<boolean> {
    const { topic, partition } = batch;
    const until = source.until(topic, partition);
    const records = batch.records();
    while (source.isHeld(topic, partition) && records.next() && records.offset() < until) {
      this.#work = worker.work(keptRecord(records, topic, partition));
      const isDone = await this.#work;
      if (this.#stop.signal.aborted && !isDone) return false;
      if (!isDone) return true; // somebody else's now
      this.#deliveries.mark(topic, partition, records.offset() + 1);
      this.#work = undefined;
      if (++this.#handled === this.#num || this.#stop.signal.aborted) return false;
    }
    if (source.isHeld(topic, partition)) await this.#endBatch(source, batch);
    return true;
  }

  /** Also what compaction left out at the end of the batch has been dealt with. */
  #endBatch(source: RecordSource, batch: Batch): void | Promise<void> {
    this.#deliveries.mark(batch.topic, batch.partition, batch.nextOffset);
    return source.onBatchEnd(() => this.#settled());
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
    const resolved = await Promise.all(
      this.#topics.map((topic) => resolveOffsets(client, topic, range, options)),
    );
    return resolved.flat().map((assignment) =>
      length === undefined ? assignment : { ...assignment, until: assignment.from + length }
    );
  }

  #conclude(): ExitCode {
    const { lifeline, io, printer } = this.#context;
    const isGoal = this.#num !== undefined || this.#range.until !== undefined;
    const wanted = this.#num === undefined ? "" : ` of ${this.#num}`;
    const told = `${this.#handled}${wanted} records`;
    if (lifeline.expiredMs !== undefined && isGoal) {
      const reason = this.#notice.reason();
      const why = reason === undefined ? "" : `; the last try: ${reason.message}`;
      throw new Failure("TIMEOUT", `Gave up after ${lifeline.expiredMs} ms with ${told}${why}`, {
        // Where something is wrong, that is to be mended; waiting longer is no remedy.
        hint: reason === undefined ? "Allow more time with --timeout" : reason.hint,
        retriable: true,
      });
    }
    const isShort = this.#num !== undefined && this.#handled < this.#num;
    if (isShort && !this.#stop.signal.aborted) {
      throw new Failure("TOO_FEW", `The range ends after ${told}`, {
        exitCode: ExitCode.Unreachable,
      });
    }
    if (!io.stdout.isTerminal || this.#processing !== undefined) printer.remark(told);
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

/** -o and -e together; a group begins at the start where it has not been before. */
function rangeOf({ flags, io }: Context, isGroup: boolean): OffsetRange {
  const text = flags.text("offset");
  const isUntilEnd = flags.isSet("until-end");
  const range = parseOffsetRange(text ?? (isUntilEnd || isGroup ? "start" : "end"), io.now());
  if (!isUntilEnd) return range;
  if (range.until === undefined) return { ...range, until: { kind: "end" } };
  throw usageFailure("Conflicting flags --until-end and --offset with an end of its own");
}
