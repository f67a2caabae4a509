/**
 * Looks at what clients ask of groups and what they are told, without a change of production code.
 *
 *     Connection      request            commits, what is told of them, and what is forgotten
 */
import { Connection } from "../../../src/client/connection.ts";
import { replace } from "../replace.ts";
import { type GroupShadow, type KeyHistory, keyOf } from "./group_shadow.ts";

export interface ToldWatch {
  readonly groups: GroupShadow;
  /** Whether the program whose event this is has a life. */
  readonly isAlive: () => boolean;
  readonly onBroken: (what: string, message: string) => void;
  /** A client was told that this record of the group is kept. */
  readonly onDurable: (groupId: string, recordOffset: number) => void;
}

interface Topics {
  readonly topics?:
    | readonly {
      readonly name: string;
      readonly topicId?: string;
      readonly partitions: readonly {
        readonly partitionIndex: number;
        readonly committedOffset?: number;
        readonly errorCode?: number;
      }[];
    }[]
    | null;
}

interface Commits extends Topics {
  readonly groupId: string;
  readonly memberId?: string;
  readonly generationIdOrMemberEpoch: number;
}

interface AskedGroups {
  readonly groups?: readonly { readonly groupId: string; readonly topics: unknown }[];
}

interface Fetched extends Topics {
  readonly groups?: readonly (Topics & { readonly groupId: string; readonly errorCode: number })[];
}

interface Deletion {
  readonly groupsNames: readonly string[];
}

interface Deleted {
  readonly results: readonly { readonly groupId: string; readonly errorCode: number }[];
}

type OffsetDeletion = Topics & { readonly groupId: string };
type Request = (api: { name: string }, body: unknown, options?: unknown) => Promise<unknown>;
/** What was written, or acknowledged, of each key when a request left. */
type Before = ReadonlyMap<string, number>;

/** Until the function that it gives back is called. */
export function watchTold(watch: ToldWatch): () => void {
  const { groups, isAlive } = watch;
  const request = Connection.prototype.request as unknown as Request;
  return replace(Connection.prototype, "request", function (
    this: Connection,
    api: { name: string },
    body: unknown,
    options?: unknown,
  ): Promise<unknown> {
    const judge = judgeOf(watch, api.name, body);
    const answer = request.call(this, api, body, options);
    if (judge === undefined) return answer;
    return answer.then((told) => {
      if (isAlive() && groups.isTrusted) judge(told);
      return told;
    });
  });
}

function judgeOf(
  watch: ToldWatch,
  name: string,
  body: unknown,
): ((told: unknown) => void) | undefined {
  const { groups } = watch;
  const written = (): Before =>
    new Map([...groups.histories()].map(([key, history]) => [key, history.written.length]));
  switch (name) {
    case "OffsetCommit": {
      const asked = body as Commits;
      const end = note(groups, asked);
      const before = written();
      return (told) => {
        end();
        onCommitted(watch, asked, { told: told as Topics, before });
      };
    }
    case "OffsetFetch": {
      const before = new Map(
        [...groups.histories()].map(([key, { acknowledged }]) => [key, acknowledged]),
      );
      return (told) => onFetched(watch, body as AskedGroups, { told: told as Fetched, before });
    }
    case "OffsetDelete": {
      const { groupId } = body as OffsetDeletion;
      const before = written();
      return (told) => {
        const { topics, errorCode } = told as Topics & { readonly errorCode: number };
        if (errorCode !== 0) return;
        for (const { topic, partition, errorCode: code } of placesIn({ topics: topics ?? [] })) {
          if (code === 0) mustBeGone(watch, keyOf({ groupId, topic, partition }), before);
        }
      };
    }
    case "DeleteGroups": {
      const before = written();
      return (told) => onDeleted(watch, { asked: body as Deletion, told: told as Deleted, before });
    }
    default:
      return undefined;
  }
}

function placesIn({ topics }: Topics): readonly {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly errorCode: number;
}[] {
  return (topics ?? []).flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex: partition, committedOffset = -1, errorCode = 0 }) => {
      return { topic, partition, offset: committedOffset, errorCode };
    })
  );
}

/** Before it leaves: it may be carried out without an answer. What it gives back is for the answer. */
function note(groups: GroupShadow, asked: Commits): () => void {
  const { groupId, memberId = "", generationIdOrMemberEpoch } = asked;
  const isOrder = generationIdOrMemberEpoch < 0;
  const noted = placesIn(asked).flatMap(({ topic, partition, offset }) => {
    const place = { groupId, topic, partition };
    if (!isOrder) return groups.ask(place, memberId, offset);
    groups.order(place, offset);
    return [];
  });
  return () => {
    for (const one of noted) one.isOver = true;
  };
}

function onCommitted(
  { groups, onBroken, onDurable }: ToldWatch,
  asked: Commits,
  { told, before }: { readonly told: Topics; readonly before: Before },
): void {
  const { groupId } = asked;
  // From version 10 on the answer names topics by their ids alone.
  const names = new Map((asked.topics ?? []).map(({ name, topicId }) => [topicId, name]));
  const toldTopics = (told.topics ?? []).map((one) =>
    one.name === "" ? { ...one, name: names.get(one.topicId) ?? "" } : one
  );
  const refused = new Set(
    placesIn({ topics: toldTopics }).filter(({ errorCode }) => errorCode !== 0)
      .map(({ topic, partition }) => `${topic}-${partition}`),
  );
  for (const { topic, partition, offset } of placesIn(asked)) {
    if (refused.has(`${topic}-${partition}`)) continue;
    const name = `${groupId} ${topic}-${partition}`;
    const history = groups.historyOf(groupId, topic, partition);
    const { written } = history;
    const from = Math.min(before.get(name) ?? 0, written.length);
    let index = written.findIndex(({ value }, place) => place >= from && value === offset);
    if (index < 0) index = written.findIndex(({ value }) => value === offset);
    if (index < 0) onBroken("an acknowledged commit is kept", `${name} at ${offset}: not written`);
    const record = written[index];
    if (record !== undefined) onDurable(groupId, record.recordOffset);
    history.acknowledged = Math.max(history.acknowledged, index);
    const skipped = groups.skipped(groupId, topic, { partition, offset });
    if (skipped.length === 0) continue;
    onBroken(
      "nothing is skipped by a commit",
      `${name} is committed up to ${offset}, and nobody was handed ${skipped.join(", ")}`,
    );
  }
}

function onFetched(
  watch: ToldWatch,
  asked: AskedGroups,
  { told, before }: { readonly told: Fetched; readonly before: Before },
): void {
  for (const group of told.groups ?? []) {
    if (group.errorCode !== 0) continue;
    const { groupId } = group;
    const places = placesIn(group).filter(({ errorCode }) => errorCode === 0);
    for (const { topic, partition, offset } of places) {
      mustBeLast(watch, keyOf({ groupId, topic, partition }), { offset, before });
    }
    const isOfAll = asked.groups?.some((one) => one.groupId === groupId && one.topics === null);
    if (isOfAll !== true) continue;
    const toldKeys = new Set(placesIn(group).map((place) => keyOf({ groupId, ...place })));
    for (const [key, history] of watch.groups.histories()) {
      const isOffset = key.includes("-") && history.groupId === groupId;
      if (isOffset && !toldKeys.has(key)) mustBeLast(watch, key, { offset: -1, before });
    }
  }
}

function mustBeLast(
  { groups, onBroken, onDurable }: ToldWatch,
  key: string,
  { offset, before }: { readonly offset: number; readonly before: Before },
): void {
  const [groupId = "", place = ""] = key.split(" ");
  const least = before.get(key) ?? -1;
  const { written } = groups.history(key, groupId);
  const record = written.find(({ value }, index) => index >= least && value === offset);
  if (record !== undefined && offset >= 0) onDurable(groupId, record.recordOffset);
  const mayBeNone = least < 0 || groups.mayHaveEnded(topicOf(place));
  if (record !== undefined || offset < 0 && mayBeNone) return;
  onBroken(
    "an offset that is told was committed last",
    `${key} is told as ${offset}, and ${written[least]?.value} was acknowledged before`,
  );
}

function topicOf(place: string): string {
  return place.slice(0, place.lastIndexOf("-"));
}

/** All that the group had, and the group of either protocol. */
function onDeleted(
  watch: ToldWatch,
  { asked, told, before }: {
    readonly asked: Deletion;
    readonly told: Deleted;
    readonly before: Before;
  },
): void {
  const gone = told.results.filter(({ errorCode }) => errorCode === 0)
    .map(({ groupId }) => groupId)
    .filter((groupId) => asked.groupsNames.includes(groupId));
  for (const [key, history] of watch.groups.histories()) {
    if (gone.includes(history.groupId)) mustBeGone(watch, key, before);
  }
}

/** Its tombstone is kept, or what came after that. */
function mustBeGone({ groups, onBroken }: ToldWatch, key: string, before: Before): void {
  const [groupId = ""] = key.split(" ");
  const history: KeyHistory = groups.history(key, groupId);
  const { written } = history;
  const from = Math.min(before.get(key) ?? 0, written.length);
  let index = written.findIndex(({ value }, place) => place >= from && value < 0);
  if (index < 0 && history.last < 0) index = written.length - 1;
  history.acknowledged = Math.max(history.acknowledged, index);
  if (index >= 0 || written.length > from || written.length === 0) return;
  onBroken("what was deleted is gone", `${key}: ${history.last} is there as before`);
}
