/**
 * What a dead letter is: a record that could not be processed, as it was, with headers that say where
 * it came from and why it is here.
 *
 *   mq-dlq-topic, -partition, -offset   where it was read
 *   mq-dlq-error                        "exit 5: …", the last error
 *   mq-dlq-attempts                     how often it was tried
 *   mq-dlq-replays                      how often it was put back already (redrive)
 *   mq-redrive-id                       on a record that was put back: which dead letter it was
 *
 * Values of headers are text. Not here: when a record is given up.
 */
import type { KeptRecord } from "./record_command.ts";
import { type Header, toBytes, toText } from "./record_text.ts";

const ORIGIN_HEADERS = ["topic", "partition", "offset", "error", "attempts"] as const;
const REPLAYS = "mq-dlq-replays";
export const REDRIVE_ID = "mq-redrive-id";

/** What was known of a dead letter when it was set aside. */
export interface Origin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly error: string;
  readonly attempts: number;
}

export interface LetterRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: readonly Header[];
}

/** The record as it goes to the dead-letter topic. */
export function deadLetter(record: KeptRecord, error: string, attempts: number): LetterRecord {
  const { key, value, timestamp, topic, partition, offset } = record;
  const added = { topic, partition, offset, error, attempts };
  const headers = ORIGIN_HEADERS.map((name): Header => [
    `mq-dlq-${name}`,
    toBytes(String(added[name])),
  ]);
  return { key, value, timestamp, headers: [...withoutOrigin(record.headers), ...headers] };
}

/** The record as it is put back. `id` tells it from all others that were. */
export function redriven(record: KeptRecord, id: string): LetterRecord {
  const { key, value, timestamp } = record;
  const replays = replaysOf(record.headers) + 1;
  const kept = withoutOrigin(record.headers).filter(([name]) => name !== REPLAYS);
  const headers: readonly Header[] = [
    ...kept,
    [REPLAYS, toBytes(String(replays))],
    [REDRIVE_ID, toBytes(id)],
  ];
  return { key, value, timestamp, headers };
}

/** Undefined where the record is no dead letter of ours. */
export function originOf(headers: readonly Header[]): Origin | undefined {
  const topic = headerText(headers, "mq-dlq-topic");
  if (topic === undefined || topic === "") return undefined;
  return {
    topic,
    partition: wholeOf(headerText(headers, "mq-dlq-partition"), -1),
    offset: wholeOf(headerText(headers, "mq-dlq-offset"), -1),
    error: headerText(headers, "mq-dlq-error") ?? "",
    attempts: wholeOf(headerText(headers, "mq-dlq-attempts"), 0),
  };
}

/** How often this record was put back from a dead-letter topic. */
export function replaysOf(headers: readonly Header[]): number {
  return wholeOf(headerText(headers, REPLAYS), 0);
}

export function headerText(headers: readonly Header[], wanted: string): string | undefined {
  const value = headers.findLast(([name]) => name === wanted)?.[1];
  return value === undefined || value === null ? undefined : toText(value);
}

function withoutOrigin(headers: readonly Header[]): readonly Header[] {
  const names = new Set<string>([...ORIGIN_HEADERS.map((name) => `mq-dlq-${name}`), REDRIVE_ID]);
  return headers.filter(([name]) => !names.has(name));
}

function wholeOf(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : otherwise;
}
