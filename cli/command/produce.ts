/**
 * `mq produce`: sends records from arguments, files or a pipe.
 *
 * A line leaves within --linger, also while the pipe stays open. SIGINT and SIGTERM end the reading;
 * what was read whole is still delivered. The first record that cannot be delivered ends it too.
 */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { DeliveryCount } from "../delivery_count.ts";
import { ExitCode } from "../exit_code.ts";
import { attempt, Failure, failureOf } from "../failure.ts";
import { requireDuration } from "../quantity.ts";
import { makerOptions, RecordMaker } from "../record_maker.ts";
import { RecordSplitter } from "../record_splitter.ts";
import { toBytes } from "../record_text.ts";
import { type Client, connectFirst, timeoutOf } from "../session.ts";
import { shownDuration } from "../setting_text.ts";
import { parseDelimiter } from "../template.ts";
import { untilStopped } from "../until_stopped.ts";
import { WaitNotice } from "../wait_notice.ts";

type Producer = ReturnType<Client["producer"]>;
type ProducerOptions = NonNullable<Parameters<Client["producer"]>[0]>;

const RECORD_BYTES_MAX = 64 * 1024 * 1024;
/** The library's own, and Kafka's delivery.timeout.ms. */
const DELIVERY_TIMEOUT_MS = 120_000;

export const produce: CommandSpec = {
  path: "produce",
  summary: "Send records: from arguments, files, or a pipe line by line",
  arguments: [{ name: "TOPIC" }, { name: "VALUE", isOptional: true, isMany: true }],
  flags: [
    { name: "key", short: "k", value: "TEXT", summary: "the key of every record" },
    {
      name: "key-from",
      value: "PATH",
      summary: "take the key out of the JSON value: .user, .a.b[0]",
    },
    {
      name: "key-sep",
      short: "K",
      value: "SEP",
      summary: "every line is key, SEP, value",
    },
    {
      name: "header",
      short: "H",
      value: "NAME:VALUE",
      isList: true,
      summary: "a header of every record; = does as well",
    },
    { name: "partition", short: "p", value: "N", summary: "send to this partition" },
    { name: "at", value: "TIME", summary: "timestamp of every record, in place of now" },
    {
      name: "tombstone",
      short: "Z",
      summary: "an empty value is null; with -K a line alone a key",
    },
    { name: "null", value: "TEXT", summary: "a value that reads TEXT is null" },
    {
      name: "delimiter",
      short: "D",
      value: "SEP",
      summary: "what ends a record, in place of newline",
    },
    { name: "nul", short: "0", summary: "a NUL ends a record, as in xargs -0" },
    {
      name: "format",
      short: "f",
      value: "FORMAT",
      choices: ["text", "json"],
      summary: "text: the value as it is; json: what mq consume -f json prints",
    },
    {
      name: "compression",
      short: "z",
      value: "CODEC",
      choices: ["none", "gzip", "snappy", "lz4", "zstd"],
      summary: "none, gzip, snappy, lz4 or zstd",
    },
    {
      name: "acks",
      value: "ACKS",
      choices: ["0", "1", "all"],
      summary:
        "who has it before it counts as delivered: 0 nobody, 1 the leader, all (the default)",
    },
    {
      name: "linger",
      value: "DURATION",
      summary: "how long a record waits for company: 5ms where left out",
    },
  ],
  details: [
    "VALUE is a record; @FILE is a file as one record, @@TEXT is @TEXT, and - is stdin. Without a " +
    "VALUE records come from stdin, one a line; what is behind the last newline is sent at the end. " +
    "The bytes are sent as they are.",
    "A topic that is not there is created if the broker allows it. --json prints what was delivered " +
    "where.",
    "While a broker is away, its disk is full or replicas are missing, a record is sent again until " +
    "--timeout (2m; also for connecting) is over; after a few seconds stderr says why. Nothing more " +
    "is read then than fits into memory. The first record that cannot be delivered ends the command " +
    "with an error.",
  ],
  examples: [
    ["One record", "echo 'hello world' | mq produce greetings"],
    ["A log as it grows", "tail -F app.log | mq produce logs -q"],
    ["Keys out of JSON", "jq -c '.[]' orders.json | mq produce orders --key-from .user"],
    ["Key and value in one line", "printf 'k1:v1\\nk2:v2\\n' | mq produce pairs -K :"],
    ["A topic copied", "mq consume a -o start:end -f json | mq produce b -f json"],
  ],
  run: (context) => new Production(context).run(),
};

class Production {
  readonly #context: Context;
  readonly #topic: string;
  readonly #values: readonly string[];
  readonly #maker: RecordMaker;
  readonly #hasOwnTime: boolean;
  readonly #delimiter: Uint8Array;
  readonly #count = new DeliveryCount();
  readonly #notice: WaitNotice;
  readonly #timeoutMs: number;
  readonly #life = new AbortController();
  #taken = 0;

  constructor(context: Context) {
    const { flags } = context;
    const options = makerOptions(flags, context.io.now());
    this.#context = context;
    [this.#topic = "", ...this.#values] = context.arguments;
    this.#maker = new RecordMaker(options);
    this.#timeoutMs = timeoutOf(context) ?? DELIVERY_TIMEOUT_MS;
    this.#notice = new WaitNotice({
      printer: context.printer,
      now: () => context.io.now(),
      limit: `for ${shownDuration(this.#timeoutMs)} at most (--timeout)`,
    });
    this.#hasOwnTime = options.timestamp !== undefined;
    this.#delimiter = flags.isSet("nul")
      ? Uint8Array.of(0)
      : parseDelimiter(flags.text("delimiter") ?? "\\n");
  }

  async run(): Promise<ExitCode> {
    const options = this.#producerOptions();
    const client = await this.#connect();
    const producer = client.producer(options);
    try {
      await this.#sendAll(producer);
      await producer.flush();
    } finally {
      // What cannot be delivered any more must not keep the program from ending.
      if (this.#count.firstError !== undefined) this.#life.abort();
      await producer[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    }
    return await this.#tell();
  }

  /** A signal stops the connecting, but not what is being delivered after that. */
  async #connect(): Promise<Client> {
    const { signal } = this.#context.lifeline;
    const onAbort = (): void => this.#life.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await connectFirst(this.#context, this.#life.signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #producerOptions(): ProducerOptions {
    const { flags } = this.#context;
    const acks = flags.text("acks");
    const linger = flags.text("linger");
    return {
      acks: acks === "0" ? 0 : acks === "1" ? 1 : "all",
      compressionType: (flags.text("compression") ?? "none") as NonNullable<
        ProducerOptions["compressionType"]
      >,
      lingerMs: linger === undefined ? 5 : requireDuration(linger, "--linger"),
      deliveryTimeoutMs: this.#timeoutMs,
      onBatchDelivered: (report) => {
        this.#count.add(report);
        if (report.error === undefined) this.#notice.onProgress(report.topic, report.partition);
      },
      onRetry: (retry) => this.#notice.onRetry(retry),
    };
  }

  async #sendAll(producer: Producer): Promise<void> {
    const { flags, lifeline } = this.#context;
    if (this.#values.length === 0 && flags.isSet("tombstone") && flags.isSet("key")) {
      return await this.#sendOne(producer, new Uint8Array(0));
    }
    const values = this.#values.length === 0 ? ["-"] : this.#values;
    for (const value of values) {
      if (lifeline.signal.aborted || this.#count.firstError !== undefined) return;
      if (value === "-") await this.#sendStream(producer);
      else if (value.startsWith("@@")) await this.#sendOne(producer, toBytes(value.slice(1)));
      else if (value.startsWith("@")) {
        await this.#sendOne(producer, this.#readWhole(value.slice(1)));
      } else await this.#sendOne(producer, toBytes(value));
    }
  }

  async #sendOne(producer: Producer, bytes: Uint8Array): Promise<void> {
    const wait = this.#send(producer, bytes, 0, bytes.length);
    if (wait !== undefined) await untilStopped(wait, this.#context.lifeline.signal);
  }

  #readWhole(path: string): Uint8Array {
    return attempt(`Cannot read ${path}`, () => this.#context.io.files.read(path));
  }

  async #sendStream(producer: Producer): Promise<void> {
    const { io, printer, lifeline: { signal } } = this.#context;
    if (io.stdin.isTerminal) printer.remark("one record a line; Ctrl-D ends");
    const splitter = new RecordSplitter({
      delimiter: this.#delimiter,
      recordBytesMax: RECORD_BYTES_MAX,
    });
    for (;;) {
      const room = splitter.room();
      if (room === undefined) throw this.#rejectLength();
      const count = await untilStopped(io.stdin.read(room), signal);
      if (count === undefined) return;
      splitter.filled(count);
      if (!this.#hasOwnTime) this.#maker.slice.timestamp = io.now();
      while (splitter.next() || (count === 0 && splitter.last())) {
        const wait = this.#send(producer, splitter.bytes, splitter.start, splitter.end);
        if (wait !== undefined) await untilStopped(wait, signal);
        if (signal.aborted || this.#count.firstError !== undefined) return;
      }
      if (count === 0) return;
    }
  }

  /** Hands one record over; a promise where the next one has to wait. */
  #send(
    producer: Producer,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void | Promise<void> {
    this.#taken++;
    if (this.#maker.isPlain) {
      this.#maker.fill(bytes, start, end);
      return producer.appendSlice(this.#topic, this.#maker.slice);
    }
    return producer.append(this.#topic, this.#maker.make(bytes, start, end, this.#taken));
  }

  #rejectLength(): Failure {
    return new Failure(
      "BAD_INPUT",
      `Cannot read record ${this.#taken + 1}: it is longer than ${RECORD_BYTES_MAX} bytes`,
      { hint: "Is another delimiter meant? See -D and -0" },
    );
  }

  async #tell(): Promise<ExitCode> {
    const { printer } = this.#context;
    const { delivered, firstError } = this.#count;
    const lost = this.#taken - delivered;
    if (firstError !== undefined) {
      const failure = failureOf(firstError);
      const told = `Cannot deliver ${lost} of ${this.#taken} records to ${this.#topic}`;
      throw new Failure(failure.code, `${told}: ${failure.message}`, failure);
    }
    if (printer.isJson) {
      await printer.printJson({
        topic: this.#topic,
        records: delivered,
        partitions: this.#count.partitions(),
      });
    } else printer.remark(`${delivered} record${delivered === 1 ? "" : "s"} to ${this.#topic}`);
    return ExitCode.Done;
  }
}
