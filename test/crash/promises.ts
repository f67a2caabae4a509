/**
 * What the broker has promised so far, and whether a broker that was started on what a crash left keeps
 * it. The model is a list of records by topic; it knows nothing of segments, syncs or cleaning.
 */
import type { CrashMode } from "./crash_model.ts";
import type { World } from "./world.ts";
import { fetchFrom, produceTo } from "../broker/topic_requests.ts";
import { describeConfigs } from "../../src/api/describe_configs.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { textOf } from "../../src/ground/text.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { decompressWith } from "../../src/record/compression.ts";
import { RecordCursor } from "../../src/record/record_cursor.ts";

export interface SentRecord {
  readonly key: string | null;
  /** Null is a tombstone. */
  readonly value: string | null;
}

/** One topic of one partition. */
export class TopicPromises {
  readonly name: string;
  readonly isCompacted: boolean;
  /** "unsure": asked for and not answered yet, one way or the other. */
  existence: "absent" | "unsure" | "there" = "absent";
  /** By offset, as they were sent; the last ones may not have been acknowledged. */
  readonly sent: SentRecord[] = [];
  /** Records below survive a kill. */
  endAfterKill = 0;
  /** Records below survive a loss of power. */
  endAfterPowerLoss = 0;
  /** The log starts here or behind, and not behind `startMax`. */
  startMin = 0;
  startMax = 0;
  mayTombstonesGo = false;
  /** Settings that were altered: the values that each may have now. */
  readonly settings = new Map<string, readonly string[]>();
  /** The batch that was acknowledged last, of an idempotent producer. */
  lastBatch: { readonly bytes: Uint8Array; readonly baseOffset: number } | undefined;

  constructor(name: string, isCompacted = false) {
    this.name = name;
    this.isCompacted = isCompacted;
  }

  /** Under the same name a topic may come again: it begins anew. */
  restart(): void {
    this.sent.length = 0;
    this.endAfterKill =
      this.endAfterPowerLoss =
      this.startMin =
      this.startMax =
        0;
    this.lastBatch = undefined;
    this.settings.clear();
  }
}

interface Served {
  readonly start: number;
  readonly end: number;
  readonly records: ReadonlyMap<number, SentRecord>;
}

const cursorTools = {
  decompress: decompressWith(createHostCompressors()),
  inflatedBytesMax: 1 << 24,
};

/** The first promise that is broken, in words; undefined where all are kept. */
export async function brokenPromise(
  world: World,
  topics: readonly TopicPromises[],
  mode: CrashMode,
): Promise<string | undefined> {
  const present = await world.topics();
  for (const name of present) {
    const known = topics.find((topic) => topic.name === name);
    if (known === undefined || known.existence === "absent") return `topic ${name} is there`;
  }
  for (const topic of topics) {
    if (topic.existence === "there" && !present.has(topic.name)) {
      return `topic ${topic.name} is lost`;
    }
    if (!present.has(topic.name) || topic.existence !== "there") continue;
    // deno-lint-ignore no-await-in-loop -- one broker, one question after the other
    const broken = await brokenTopic(world, topic, mode);
    if (broken !== undefined) return `${topic.name}: ${broken}`;
  }
  return undefined;
}

async function brokenTopic(
  world: World,
  topic: TopicPromises,
  mode: CrashMode,
): Promise<string | undefined> {
  const served = await readAll(world, topic.name);
  if (typeof served === "string") return served;
  return brokenRecords(topic, served, mode) ?? await brokenSettings(world, topic) ??
    await brokenSequence(world, topic, served);
}

function brokenRecords(
  topic: TopicPromises,
  served: Served,
  mode: CrashMode,
): string | undefined {
  return brokenRange(topic, served, mode) ?? brokenContent(topic, served) ??
    missingRecord(topic, served);
}

function brokenRange(
  topic: TopicPromises,
  { start, end }: Served,
  mode: CrashMode,
): string | undefined {
  const endMin = mode === "kill" ? topic.endAfterKill : topic.endAfterPowerLoss;
  if (end < endMin) return `the log ends at ${end}, records below ${endMin} were acknowledged`;
  if (end > topic.sent.length) return `the log ends at ${end}, ${topic.sent.length} were sent`;
  if (start < topic.startMin) return `the start went back to ${start} from ${topic.startMin}`;
  return start > topic.startMax
    ? `the log starts at ${start}, behind ${topic.startMax}`
    : undefined;
}

function brokenContent({ sent }: TopicPromises, { records }: Served): string | undefined {
  for (const [offset, record] of records) {
    const { key, value } = sent[offset] as SentRecord;
    if (key === record.key && value === record.value) continue;
    return `offset ${offset} is ${JSON.stringify(record)}, sent was ${
      JSON.stringify(sent[offset])
    }`;
  }
  return undefined;
}

/** A compacted log may leave out what a later record of the same key has made void. */
function missingRecord(
  topic: TopicPromises,
  { start, end, records }: Served,
): string | undefined {
  const last = new Map<string | null, number>();
  for (const [offset, { key }] of topic.sent.slice(0, end).entries()) last.set(key, offset);
  for (let offset = start; offset < end; offset++) {
    if (records.has(offset)) continue;
    const { key, value } = topic.sent[offset] as SentRecord;
    const isVoid = last.get(key) !== offset || value === null && topic.mayTombstonesGo;
    if (!topic.isCompacted || !isVoid) return `offset ${offset} of [${start}, ${end}) is missing`;
  }
  return undefined;
}

async function brokenSettings(world: World, topic: TopicPromises): Promise<string | undefined> {
  if (topic.settings.size === 0) return undefined;
  const { results } = await world.connection.ask(describeConfigs, 1, {
    resources: [{ resourceType: 2, resourceName: topic.name, configurationKeys: null }],
    includeSynonyms: false,
    includeDocumentation: false,
  });
  const values = new Map(results[0]?.configs.map(({ name, value }) => [name, value ?? ""]));
  for (const [name, allowed] of topic.settings) {
    const value = values.get(name) ?? "nothing";
    if (!allowed.includes(value)) return `${name} is ${value}, not ${allowed.join(" or ")}`;
  }
  return undefined;
}

/** A batch that was acknowledged and is sent again gets the offset that it has. */
async function brokenSequence(
  world: World,
  topic: TopicPromises,
  { end }: Served,
): Promise<string | undefined> {
  const { lastBatch } = topic;
  if (lastBatch === undefined || lastBatch.baseOffset >= end) return undefined;
  const answer = await produceTo(world.connection, topic.name, lastBatch.bytes.slice());
  if (answer.errorCode === ErrorCode.None && answer.baseOffset === lastBatch.baseOffset) {
    return undefined;
  }
  return `a batch sent again got offset ${answer.baseOffset} and error ${answer.errorCode}, ` +
    `it has ${lastBatch.baseOffset}`;
}

async function readAll(world: World, name: string): Promise<Served | string> {
  const start = await world.startOffset(name);
  const records = new Map<number, SentRecord>();
  const cursor = new RecordCursor(cursorTools);
  for (let offset = start;;) {
    // deno-lint-ignore no-await-in-loop -- each read goes on where the last one ended
    const fetched = await fetchFrom(world.connection, name, { offset });
    if (fetched.errorCode !== ErrorCode.None) {
      return `reading ${offset}: error ${fetched.errorCode}`;
    }
    const walk = new BatchWalk(fetched.records ?? new Uint8Array(0));
    const from = offset;
    while (walk.next()) {
      offset = walk.batch.nextOffset();
      cursor.open(walk.batch);
      while (cursor.next()) {
        if (cursor.offset() < start) continue;
        records.set(cursor.offset(), { key: text(cursor.key()), value: text(cursor.value()) });
      }
      if (cursor.failure !== undefined) return `reading ${offset}: ${cursor.failure}`;
    }
    if (offset === from) {
      const end = fetched.highWatermark;
      return offset > end ? `read up to ${offset}, behind ${end}` : { start, end, records };
    }
  }
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : textOf(bytes);
}
