/**
 * What a group is for, whosever client it is: members come, one leaves, one is killed, and every
 * record is read at least once; who comes later goes on where the others have stopped.
 */
import { expect } from "bun:test";
import { lasting } from "../harness/until.ts";
import { Feed, PARTITIONS } from "./feed.ts";
import { Member, type MemberProgram } from "./group_member.ts";
import { freshTopic, type Subject, withAdmin } from "./subject.ts";

const LOOK_EVERY_MS = 50;
const LOOK_MS = 60_000;
const SHOWN_MAX = 20;
const WINDOW_ROUNDS = 8;

export async function membersComeAndGo(subject: Subject, program: MemberProgram): Promise<void> {
  await using feed = await Feed.open(subject.kafka, freshTopic("members"));
  const { topic } = feed;
  const place = { broker: subject.kafka, group: `${topic}-group`, topic };
  await using first = new Member(program, place);
  feed.start();
  await untilShared(feed, [first]);
  await using second = new Member(program, place);
  await untilShared(feed, [first, second]);
  await using third = new Member(program, place);
  await untilShared(feed, [first, second, third]);
  if (program.losesLast === true) {
    await feed.stop();
    await untilAllRead(feed, [first, second, third]);
  }
  await second.leave();
  if (program.losesLast === true) feed.start();
  await untilShared(feed, [first, third]);
  await third.kill();
  await untilShared(feed, [first]);
  await feed.stop();
  await untilAllRead(feed, [first, second, third]);
  await first.leave();
  expect(await committed(subject, place.group, topic)).toBe(feed.count);

  const before = feed.count;
  for (let round = 0; round < WINDOW_ROUNDS; round++) await feed.round();
  await using later = new Member(program, place);
  await looking("what is new is read", () => valuesOf(later).size >= feed.count - before);
  await later.leave();
  expect(Math.min(...[...valuesOf(later)].map(Number))).toBe(before);
  expect(await committed(subject, place.group, topic)).toBe(feed.count);
}

/**
 * Until a stretch of new records is read once each, by all of the members and nobody else: each
 * partition has one owner, and each member has partitions.
 */
async function untilShared(feed: Feed, members: readonly Member[]): Promise<void> {
  let start = feed.count + PARTITIONS; // what is on its way may have been read by one who is gone
  const end = (): number => start + WINDOW_ROUNDS * PARTITIONS;
  await looking(`${members.length} members share the partitions`, () => {
    if (feed.count < end()) return false;
    const reads = members.map((member) =>
      member.read().filter(({ value }) => Number(value) >= start && Number(value) < end())
    );
    const values = new Set(reads.flatMap((lines) => lines.map(({ value }) => value)));
    if (values.size < end() - start) return false;
    const count = reads.reduce((sum, lines) => sum + lines.length, 0);
    if (count === values.size && reads.every((lines) => lines.length > 0)) return true;
    start = feed.count; // some were read twice, or somebody had none: not yet
    return false;
  });
}

async function untilAllRead(feed: Feed, members: readonly Member[]): Promise<void> {
  await looking("every record is read", () => valuesOf(...members).size >= feed.count, () => {
    const read = valuesOf(...members);
    const missing = Array.from({ length: feed.count }, (_, value) => value)
      .filter((value) => !read.has(String(value)));
    return `: of ${feed.count} there are missing ${missing.slice(0, SHOWN_MAX)}`;
  });
}

function valuesOf(...members: readonly Member[]): ReadonlySet<string> {
  return new Set(members.flatMap((member) => member.read().map(({ value }) => value)));
}

/** Looks again and again; long, for sessions have to run out and virtual machines to start. */
export async function looking(
  what: string,
  isTrue: () => boolean,
  why: () => string = () => "",
): Promise<void> {
  const end = performance.now() + LOOK_MS;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`Cannot wait longer until ${what}${why()}`);
    // deno-lint-ignore no-await-in-loop -- one look after the other
    await lasting(LOOK_EVERY_MS);
  }
}

/** The sum of a group's committed offsets. */
async function committed(subject: Subject, groupId: string, topic: string): Promise<number> {
  const [found] = await withAdmin(
    subject,
    (admin) => admin.fetchOffsets({ groupId, topics: [topic] }),
  );
  const offsets = (found?.partitions ?? []).map(({ offset }) => Math.max(Number(offset), 0));
  return offsets.reduce((sum, offset) => sum + offset, 0);
}
