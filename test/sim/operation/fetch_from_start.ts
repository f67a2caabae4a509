/** Reads a partition from its start to its end, and holds it against everything that was promised. */
import { ClientError } from "../../../src/client/client_error.ts";
import type { Assignment } from "../../../src/client/consumer_options.ts";
import { textOf } from "../../../src/ground/text.ts";
import type { PartitionShadow, TopicShadow } from "../shadow.ts";
import {
  mayBeGone,
  type Operation,
  type OperationContext,
  pickTopic,
  PromiseBroken,
  throwUnlessGone,
} from "./operation.ts";

const PATIENCE_MS = 10_000;
const TAIL_PATIENCE_MS = 300;
const TAIL_COUNT = 3;

export const fetchFromStart: Operation = {
  name: "fetch-from-start",
  async run(context): Promise<void> {
    const topic = pickTopic(context);
    if (topic === undefined) return;
    await readAndCompare(context, topic, context.chance.below(topic.partitions.length));
  },
};

interface Reading {
  readonly name: string;
  readonly shadow: PartitionShadow;
  readonly start: number;
  /** What was read ends here. */
  readonly end: number;
  /** Promises with a smaller number were given before it began. */
  readonly serial: number;
  readonly found: ReadonlyMap<number, string>;
}

export async function readAndCompare(
  context: OperationContext,
  topic: TopicShadow,
  index: number,
): Promise<void> {
  const shadow = topic.partition(index);
  const { lossCount, endMin } = shadow;
  const serial = context.shadow.nextSerial();
  const start = await offsetOf(context, topic, index, "start");
  const end = await offsetOf(context, topic, index, "end");
  const name = `${topic.name}-${index}`;
  const isTail = context.chance.oneIn(3); // what comes behind the end as it was told, as well
  const until = isTail ? end + TAIL_COUNT : end;
  const assignment = { topic: topic.name, partition: index, from: start, until };
  const isDurable = shadow.durability === "quorum-fsync" && !context.shadow.isDamaged;
  const { found, isWhole } = await readAll(context, assignment, { isTail, isDurable });
  if (mayBeGone(topic)) return;
  for (const [offset, value] of found) {
    if (!shadow.sent.has(value)) {
      throw new PromiseBroken(
        "values are those that were sent",
        `${name} has at ${offset}: ${value.slice(0, 60)}`,
      );
    }
  }
  // What was read before and what behind a loss need not fit.
  if (shadow.lossCount !== lossCount || context.shadow.isDamaged) return;
  if (end < endMin) {
    throw new PromiseBroken("the end does not go back", `${name} ends at ${end}, not ${endMin}`);
  }
  shadow.endMin = Math.max(shadow.endMin, end);
  const readEnd = isWhole ? end : Math.max(start, ...found.keys());
  compare({ name, shadow, start, end: readEnd, serial, found });
}

function compare(reading: Reading): void {
  const { shadow, found } = reading;
  isWhatWasSeen(reading);
  isComplete(reading);
  comesOnceInOrder(reading);
  for (const [offset, value] of found) shadow.seen.set(offset, value);
}

function isWhatWasSeen({ name, shadow, found }: Reading): void {
  for (const [offset, value] of found) {
    const before = shadow.seen.get(offset) ?? shadow.expected.get(offset)?.value;
    if (before === undefined || before === value) continue;
    throw new PromiseBroken(
      "what is at an offset stays",
      `${name} at ${offset} has ${value.slice(0, 60)}, and had ${before.slice(0, 60)}`,
    );
  }
}

function isComplete({ name, shadow, start, end, serial, found }: Reading): void {
  const { startMax } = shadow;
  if (start > startMax) {
    throw new PromiseBroken(
      "nothing is deleted unasked",
      `${name} starts at ${start}, not ${startMax}`,
    );
  }
  for (const [offset, expected] of shadow.expected) {
    if (expected.serial >= serial || found.has(offset)) continue;
    // Trimmed, or acknowledged by the leader alone and not committed yet.
    if (offset < Math.max(start, startMax) || offset >= end) continue;
    throw new PromiseBroken(
      "what was acknowledged is there",
      `${name} has nothing at ${offset}, and ends at ${end}: ${expected.value.slice(0, 60)}`,
    );
  }
  if (shadow.somewhere.size === 0 || start > 0) return;
  const values = new Set(found.values());
  for (const [value, expected] of shadow.somewhere) {
    if (expected.serial >= serial || values.has(value)) continue;
    throw new PromiseBroken(
      "what was acknowledged is there",
      `${name} has no ${value.slice(0, 60)}`,
    );
  }
}

function comesOnceInOrder({ name, shadow, found }: Reading): void {
  const lastOf = new Map<string, number>();
  for (const [offset, value] of found) {
    const sent = shadow.sent.get(value);
    if (sent === undefined || !sent.isIdempotent || sent.lossCount !== shadow.lossCount) continue;
    const last = lastOf.get(sent.producer) ?? -1;
    if (sent.number === last) {
      throw new PromiseBroken(
        "idempotent records come once",
        `${name} at ${offset}: ${value.slice(0, 60)}`,
      );
    }
    if (sent.number < last) {
      throw new PromiseBroken(
        "idempotent records come in order",
        `${name} at ${offset}: ${value.slice(0, 60)} behind number ${last}`,
      );
    }
    lastOf.set(sent.producer, sent.number);
  }
}

async function offsetOf(
  context: OperationContext,
  topic: TopicShadow,
  index: number,
  spec: "start" | "end",
): Promise<number> {
  const { client } = context;
  const [listed] = await client.admin.listOffsets(topic.name, spec, { partitions: [index] });
  throwUnlessGone(context, topic, listed?.error);
  return listed?.offset ?? -1;
}

async function readAll(
  context: OperationContext,
  assignment: Assignment,
  { isTail, isDurable }: { readonly isTail: boolean; readonly isDurable: boolean },
): Promise<{ readonly found: ReadonlyMap<number, string>; readonly isWhole: boolean }> {
  const { client, clock } = context;
  const found = new Map<number, string>();
  let isWhole = true;
  if (assignment.from >= (assignment.until ?? Infinity)) return { found, isWhole };
  // A log that a loss of power made shorter does not get there by itself.
  const patience = new AbortController();
  const timer = clock.after(isTail ? TAIL_PATIENCE_MS : PATIENCE_MS, () => patience.abort());
  const { signal } = patience;
  const assignments = [assignment];
  const consumer = client.consumer({ assignments, maxWaitMs: 200, onOutOfRange: "start", signal });
  try {
    for await (const { topic, partition, offset, value } of consumer) {
      found.set(offset, textOf(value ?? new Uint8Array(0)));
      if (isDurable) context.onDurable("read", { topic, partition, offset });
    }
  } catch (error) {
    // What follows the tail is never done by itself.
    const isPatienceOver = error instanceof ClientError && error.code === "ABORTED";
    if (!isTail || !isPatienceOver) throw error;
    isWhole = false;
  } finally {
    timer.cancel();
  }
  spoil(found, context);
  return { found, isWhole };
}

/** The bugs on purpose of a reader. */
function spoil(found: Map<number, string>, { chance, plant }: OperationContext): void {
  const [first, second] = [...found.keys()];
  if (plant === "reads-skip-a-batch" && found.size > 3) found.delete(second as number);
  if (plant === "value-of-another" && first !== undefined && chance.oneIn(3)) {
    found.set(first, "t99-0|somebody|1|");
  }
}
