/**
 * Partitions as tests write them: `A:0-2,5 B:1`, `-` for none. The topic "A" has the id that is made of
 * its name, unless a cluster says otherwise.
 */
import { type Uuid, uuidFromBytes } from "../../../src/ground/uuid.ts";
import { type Partitions, partitionsOf } from "../../../src/group/consumer/partitions.ts";

export type TopicIds = (topic: string) => Uuid;
export type TopicNames = (topicId: Uuid) => string;

/** Names of up to 16 ASCII characters. */
export function idOfTopic(topic: string): Uuid {
  return uuidFromBytes(
    Uint8Array.from({ length: 16 }, (_, at) => topic.charCodeAt(at) || 0),
  );
}

export function parsePartitions(text: string, idOf: TopicIds = idOfTopic): Partitions {
  if (text === "-" || text === "") return new Map();
  return partitionsOf(
    text.trim().split(/\s+/).map((word) => {
      const [topic = "", ranges = ""] = word.split(":");
      return { topicId: idOf(topic), partitions: ranges.split(",").flatMap(parseRange) };
    }),
  );
}

function parseRange(range: string): readonly number[] {
  const [from = 0, to = from] = range.split("-").map(Number);
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

export function partitionsText(partitions: Partitions, nameOf: TopicNames): string {
  if (partitions.size === 0) return "-";
  return [...partitions]
    .map(([topicId, ids]) => `${nameOf(topicId)}:${rangesText(ids)}`)
    .sort()
    .join(" ");
}

function rangesText(ids: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const id of ids) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === id - 1) last[1] = id;
    else ranges.push([id, id]);
  }
  return ranges.map(([from, to]) => from === to ? `${from}` : `${from}-${to}`).join(",");
}

/** `key=value` words; a value goes on up to the next key, so that it may have spaces. */
export function options(words: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let key = "";
  for (const word of words) {
    const [, name, value] = /^([a-z-]+)=(.*)$/.exec(word) ?? [];
    if (name !== undefined) found.set(key = name, value as string);
    else found.set(key, `${found.get(key) ?? ""} ${word}`.trim());
  }
  return found;
}
