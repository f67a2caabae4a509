/**
 * A dead-letter topic as the commands see it: how many letters lie there, and how many of them have
 * been put back.
 *
 * How far a redrive has come is what the group `mq-redrive.TOPIC` has committed of the topic, so any
 * tool for groups can show it and move it.
 */
import { Failure, failureOf } from "./failure.ts";
import type { CommittedOffset } from "./group_view.ts";
import { type KeptRecord, keptRecord } from "./record_command.ts";
import { parseMark, stretchesOf } from "./redrive_mark.ts";
import type { Client } from "./session.ts";

export function redriveGroup(topic: string): string {
  return `mq-redrive.${topic}`;
}

/** Names that say that a topic holds dead letters: jobs.dlq, jobs-dead-letters, jobs.DLT. */
export function isDeadLetterName(name: string): boolean {
  return /(^|[._-])(dlq|dlt|dead[._-]?letters?)$/i.test(name);
}

export interface BoxPartition {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** The first letter that no redrive has come to. */
  readonly next: number;
  /** Letters before it that could not be put back, ascending. */
  readonly left: readonly number[];
  /** Of the group that redrives; undefined where it has committed nothing. */
  readonly commit: CommittedOffset | undefined;
}

/** Partition by partition. Throws where there is no such topic. */
export async function openBox(client: Client, topic: string): Promise<readonly BoxPartition[]> {
  const [described] = await client.admin.describeTopics([topic]);
  if (described === undefined || described.error !== undefined) {
    const failure = failureOf(described?.error);
    throw new Failure(failure.code, failure.message, {
      hint: failure.hint ?? "mq dlq list lists the dead-letter topics",
      cause: failure,
    });
  }
  const [starts, ends, commits] = await Promise.all([
    client.admin.listOffsets(topic, "start"),
    client.admin.listOffsets(topic, "end"),
    redriveCommits(client, topic),
  ]);
  const failed = [...starts, ...ends].find(({ error }) => error !== undefined)?.error;
  if (failed !== undefined) throw failed;
  return starts.map(({ partition, offset: start }) => {
    const end = ends.find((listed) => listed.partition === partition)?.offset ?? start;
    const commit = commits.find((one) => one.partition === partition && one.offset >= 0);
    const next = Math.min(Math.max(commit?.offset ?? start, start), end);
    const left = commit === undefined ? [] : parseMark(commit.metadata)?.left ?? [];
    const isThere = (offset: number): boolean => offset >= start && offset < next;
    return { partition, start, end, next, left: left.filter(isThere), commit };
  }).toSorted((one, other) => one.partition - other.partition);
}

/** How many letters have not been put back. */
export function waitingCount({ next, end, left }: BoxPartition): number {
  return end - next + left.length;
}

/** Those letters, one after the other. */
export async function* waitingLetters(
  client: Client,
  topic: string,
  { partition, next, end, left }: BoxPartition,
): AsyncGenerator<KeptRecord, void, void> {
  yield* leftLetters(client, topic, { partition, left });
  yield* letters(client, { topic, partition, from: next, until: end });
}

export async function* leftLetters(
  client: Client,
  topic: string,
  { partition, left }: Pick<BoxPartition, "partition" | "left">,
): AsyncGenerator<KeptRecord, void, void> {
  for (const [first, last] of stretchesOf(left)) {
    yield* letters(client, { topic, partition, from: first, until: last + 1 });
  }
}

async function redriveCommits(
  client: Client,
  topic: string,
): Promise<readonly CommittedOffset[]> {
  try {
    const offsets = await client.admin.groups.groupOffsets(redriveGroup(topic));
    return offsets.filter((one) => one.topic === topic);
  } catch (error) {
    if (failureOf(error).code === "GROUP_ID_NOT_FOUND") return [];
    throw error;
  }
}

/** The letters of one partition from an offset on, one after the other; ends at `until`. */
export async function* letters(
  client: Client,
  place: {
    readonly topic: string;
    readonly partition: number;
    readonly from: number;
    readonly until: number;
  },
): AsyncGenerator<KeptRecord, void, void> {
  if (place.from >= place.until) return;
  const { topic, partition } = place;
  const consumer = client.consumer({ assignments: [place] });
  for await (const batch of consumer.batches()) {
    const records = batch.records();
    while (records.next()) yield keptRecord(records, topic, partition);
  }
}
