/**
 * `mq log dump`: what a file of a data directory holds, without a broker.
 *
 * Reads only, and streams: a segment of any size takes a few megabytes of memory. A damaged place is
 * shown where it is, and the dump goes on behind it.
 */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { dataPath } from "../data_path.ts";
import { type DumpWriter, JsonDump, TextDump } from "../dump_writer.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, usageFailure } from "../failure.ts";
import { OutputBuffer } from "../output_buffer.ts";
import { requireWhole } from "../quantity.ts";
import type { DumpedFile, DumpVisitor, OfflineTools } from "../../src/mod.ts";

export const logDump: CommandSpec = {
  path: "log dump",
  summary: "Show what a file of a data directory holds (offline)",
  arguments: [{ name: "FILE", isMany: true }],
  flags: [
    { name: "records", summary: "show the records of each batch as well" },
    {
      name: "num",
      short: "n",
      value: "N",
      summary: "stop after so many batches (records, entries)",
    },
    {
      name: "from-offset",
      value: "N",
      summary: "begin with the batch or entry that holds this offset",
    },
  ],
  details: [
    "Takes what lies in a data directory by its name: .log, .index, .timeindex, .txnindex, .snapshot, " +
    "leader-epoch-checkpoint, the *-offset-checkpoint files, partition.metadata, meta.properties, " +
    ".cleanshutdown, snapshots of the metadata log, and the same with .deleted, .cleaned or .swap " +
    "behind. Apache Kafka's files are the same. A running broker is not disturbed.",
    "As text a line that begins with a TAB is a record of the batch above it, and a line that begins " +
    "with ! is a damaged place. --json gives one object a line: kind is file, batch, record, control, " +
    "metadata, entry, damage or summary; a record is as mq consume -f json writes it.",
    "The exit code is 10 where something damaged was found.",
  ],
  examples: [
    ["Batches of a segment", "mq log dump data/orders-0/00000000000000000000.log"],
    [
      "Records, from the batch that holds an offset on",
      "mq log dump --records --from-offset 4200 -n 10 data/orders-0/00000000000000004000.log",
    ],
    [
      "Save what can be read of a damaged file",
      `mq log dump t-0/00000000000000000000.log --records --json | grep '"record"' | mq produce u -f json`,
    ],
    ["Where a producer stands", "mq log dump data/orders-0/*.snapshot"],
  ],
  run: dump,
};

async function dump(context: Context): Promise<ExitCode> {
  const { flags, io, printer } = context;
  const num = flags.text("num");
  const numMax = num === undefined
    ? Infinity
    : requireWhole(num, "num", [0, Number.MAX_SAFE_INTEGER]);
  const from = flags.text("from-offset");
  const fromOffset = from === undefined
    ? 0
    : requireWhole(from, "from-offset", [0, Number.MAX_SAFE_INTEGER]);
  const library = await context.library();
  const tools = new library.OfflineTools(library.createHostEnv());
  const out = new OutputBuffer(io);
  const files = context.arguments.map((typed) => requireFile(context, tools, typed));
  let isDamaged = false;
  for (const file of files) {
    if (!printer.isJson && files.length > 1) out.put(new TextEncoder().encode(`== ${file.path}\n`));
    const run = new FileDump(context, tools, { file, out, numMax });
    await run.run(fromOffset);
    isDamaged ||= run.damaged > 0;
  }
  await out.finish();
  return isDamaged ? ExitCode.No : ExitCode.Done;
}

function requireFile(context: Context, tools: OfflineTools, typed: string): DumpedFile {
  const path = dataPath(context, typed);
  const file = tools.open(path);
  if (file !== undefined) return file;
  if (!tools.isThere(path)) throw new Failure("NOT_FOUND", `There is no file ${typed}`);
  throw usageFailure(
    `Cannot tell what ${typed} is by its name`,
    "mq log dump takes one file of a data directory, under its own name; mq log verify takes folders",
  );
}

interface FileDumpParts {
  readonly file: DumpedFile;
  readonly out: OutputBuffer;
  readonly numMax: number;
}

class FileDump implements DumpVisitor {
  damaged = 0;
  readonly #context: Context;
  readonly #tools: OfflineTools;
  readonly #parts: FileDumpParts;
  readonly #write: DumpWriter;
  readonly #isMetadata: boolean;
  readonly #wantsRecords: boolean;
  #batches = 0;
  #records = 0;
  #entries = 0;
  #nextOffset = -1;

  constructor(context: Context, tools: OfflineTools, parts: FileDumpParts) {
    const { flags, io, printer } = context;
    const folder = /([^/]+)-(\d+)\/[^/]+$/.exec(parts.file.path);
    const form = {
      topic: folder?.[1] ?? "",
      partition: Number(folder?.[2] ?? -1),
      hasHeader: !flags.isSet("no-header"),
      isAligned: io.stdout.isTerminal,
    };
    this.#context = context;
    this.#tools = tools;
    this.#parts = parts;
    this.#isMetadata = form.topic === "__cluster_metadata";
    this.#wantsRecords = flags.isSet("records");
    this.#write = printer.isJson ? new JsonDump(parts.out, form) : new TextDump(parts.out, form);
  }

  async run(fromOffset: number): Promise<void> {
    const { file, out } = this.#parts;
    const { printer } = this.#context;
    const { path, kind, state = null, baseOffset, bytes } = file;
    if (printer.isJson) {
      putJson(out, { kind: "file", path, file: kind, state, baseOffset, bytes });
    }
    await this.#tools.dump(path, { wantsRecords: this.#wantsRecords, fromOffset }, this);
    const [batches, records, entries] = [this.#batches, this.#records, this.#entries];
    const damagedPlaces = this.damaged;
    if (printer.isJson) {
      const nextOffset = this.#nextOffset < 0 ? null : this.#nextOffset;
      putJson(out, { kind: "summary", batches, records, entries, damagedPlaces, nextOffset });
    }
    const counted = kind === "log" || kind === "metadata-snapshot"
      ? `${batches} batches, ${records} records`
      : `${entries} entries`;
    printer.remark(`${path}: ${counted}, ${damagedPlaces} damaged places`);
  }

  onBatch(batch: Parameters<DumpVisitor["onBatch"]>[0], position: number): void {
    this.#batches++;
    if (!this.#wantsRecords) this.#records += batch.recordCount();
    this.#nextOffset = batch.nextOffset();
    this.#write.batch(batch, position);
  }

  onRecords(records: Parameters<DumpVisitor["onRecords"]>[0]): void {
    while (!this.isEnough() && records.next()) {
      this.#records++;
      const metadata = this.#isMetadata ? this.#metadataOf(records.value()) : undefined;
      if (metadata === undefined) this.#write.record(records);
      else this.#write.metadata(records, metadata);
    }
  }

  /** Undefined where the value is none of mq's metadata: Kafka's has a form of its own. */
  #metadataOf(value: Uint8Array | null): object | undefined {
    const decoded = value === null ? undefined : this.#tools.decodeMetadata(value);
    const isRecord = typeof decoded === "object" && decoded !== null && "kind" in decoded;
    return isRecord ? decoded : undefined;
  }

  onControl(control: Parameters<DumpVisitor["onControl"]>[0]): void {
    this.#records++;
    this.#write.control(control);
  }

  onDamage(damage: Parameters<DumpVisitor["onDamage"]>[0]): void {
    this.damaged++;
    this.#write.damage(damage);
  }

  onEntry(entry: Parameters<DumpVisitor["onEntry"]>[0]): void {
    this.#entries++;
    this.#write.entry(entry);
  }

  async onPause(): Promise<void> {
    const { out } = this.#parts;
    if (this.#context.lifeline.signal.aborted) throw new Failure("ABORTED", "Ended by a signal");
    if (out.isFull) await out.drain();
  }

  isEnough(): boolean {
    const counted = this.#wantsRecords ? this.#records : this.#batches + this.#entries;
    return counted >= this.#parts.numMax;
  }
}

function putJson(out: OutputBuffer, item: object): void {
  out.put(new TextEncoder().encode(`${JSON.stringify(item)}\n`));
}
