/**
 * Looks at groups where clients ask and coordinators write, without a change of production code.
 *
 *     GroupShard      replay, loaded     what was appended, and what a load has found
 *     Connection      request            what clients were told of commits and of offsets
 */
import { Connection } from "../../../src/client/connection.ts";
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import type { Offset } from "../../../src/ground/numbers.ts";
import type { Decision } from "../../../src/group/decision.ts";
import { GroupShard } from "../../../src/group/group_shard.ts";
import { replace } from "../replace.ts";
import type { GroupShadow } from "./group_shadow.ts";

export interface GroupWatch {
  readonly groups: GroupShadow;
  /** Whether the program whose event this is has a life. */
  readonly isAlive: () => boolean;
  readonly onBroken: (what: string, message: string) => void;
  /** A client was told that this record of the group is kept. */
  readonly onDurable: (groupId: string, recordOffset: number) => void;
}

interface Topics {
  readonly topics?: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly committedOffset?: number;
      readonly errorCode?: number;
    }[];
  }[];
}

interface Fetched extends Topics {
  readonly groups?: readonly (Topics & { readonly groupId: string; readonly errorCode: number })[];
}

type Commits = Topics & { readonly groupId: string };
type Request = (api: { name: string }, body: unknown, options?: unknown) => Promise<unknown>;
type Loaded = Map<string, { readonly recordOffset: number; readonly value: number }>;

/** Until the function that it gives back is called. */
export function watchGroups(watch: GroupWatch): () => void {
  const undo = [...watchShards(watch), watchClients(watch)];
  return () => {
    for (const one of undo) one();
  };
}

function watchShards({ groups, isAlive, onBroken }: GroupWatch): readonly (() => void)[] {
  const { replay, loaded } = GroupShard.prototype;
  const loading = new WeakMap<GroupShard, Loaded>();
  const serving = new WeakSet<GroupShard>();
  return [
    replace(
      GroupShard.prototype,
      "replay",
      function (this: GroupShard, offset: Offset, record: GroupRecord): void {
        replay.call(this, offset, record);
        if (record.kind !== "OffsetCommit" || !isAlive()) return;
        const { group, topic, partition } = record.key;
        const written = { recordOffset: Number(offset), value: record.value?.offset ?? -1 };
        if (serving.has(this)) {
          groups.historyOf(group, topic, partition).written.push(written);
          return;
        }
        const found = loading.get(this) ?? new Map();
        loading.set(this, found.set(`${group} ${topic}-${partition}`, written));
      },
    ),
    replace(
      GroupShard.prototype,
      "loaded",
      function (this: GroupShard, now): Decision {
        const found = loading.get(this) ?? new Map();
        serving.add(this);
        const ofShard = new Set([...found.keys()].map((key) => key.split(" ")[0]));
        for (const [key, history] of groups.histories()) {
          if (!groups.isTrusted || !ofShard.has(key.split(" ")[0])) continue;
          const { written, acknowledged } = history;
          const now = found.get(key);
          const index = written.findLastIndex(({ recordOffset, value }) =>
            recordOffset === now?.recordOffset && value === now.value
          );
          if (index < acknowledged) {
            onBroken(
              "an acknowledged commit is kept",
              `${key}: a load gives ${now?.value}, not ${written[acknowledged]?.value}`,
            );
          }
          history.written = written.slice(0, index + 1);
        }
        return loaded.call(this, now);
      } as GroupShard["loaded"],
    ),
  ];
}

function watchClients(watch: GroupWatch): () => void {
  const { groups, isAlive } = watch;
  const request = Connection.prototype.request as unknown as Request;
  return replace(Connection.prototype, "request", function (
    this: Connection,
    api: { name: string },
    body: unknown,
    options?: unknown,
  ): Promise<unknown> {
    const answer = request.call(this, api, body, options);
    if (api.name === "OffsetCommit") {
      const asked = body as Commits;
      const before = placesIn(asked).map(({ topic, partition }) => {
        return groups.historyOf(asked.groupId, topic, partition).written.length;
      });
      return answer.then((told) => {
        if (isAlive() && groups.isTrusted) onCommitted(watch, asked, { told, before });
        return told;
      });
    }
    if (api.name !== "OffsetFetch") return answer;
    const histories = new Map(
      [...groups.histories()].map(([key, { acknowledged }]) => [key, acknowledged]),
    );
    return answer.then((told) => {
      if (isAlive() && groups.isTrusted) onFetched(watch, told as Fetched, histories);
      return told;
    });
  });
}

function placesIn({ topics = [] }: Topics): readonly {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly errorCode: number;
}[] {
  return topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex: partition, committedOffset = -1, errorCode = 0 }) => {
      return { topic, partition, offset: committedOffset, errorCode };
    })
  );
}

function onCommitted(
  { groups, onBroken, onDurable }: GroupWatch,
  asked: Commits,
  { told, before }: { readonly told: unknown; readonly before: readonly number[] },
): void {
  const { groupId } = asked;
  const refused = new Set(
    placesIn(told as Topics).filter(({ errorCode }) => errorCode !== 0)
      .map(({ topic, partition }) => `${topic}-${partition}`),
  );
  for (const [at, { topic, partition, offset }] of placesIn(asked).entries()) {
    if (refused.has(`${topic}-${partition}`)) continue;
    const name = `${groupId} ${topic}-${partition}`;
    const history = groups.historyOf(groupId, topic, partition);
    const { written } = history;
    const from = Math.min(before[at] ?? 0, written.length);
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
  { groups, onBroken }: GroupWatch,
  told: Fetched,
  acknowledged: ReadonlyMap<string, number>,
): void {
  for (const group of told.groups ?? []) {
    if (group.errorCode !== 0) continue;
    for (const { topic, partition, offset, errorCode } of placesIn(group)) {
      if (errorCode !== 0) continue;
      const key = `${group.groupId} ${topic}-${partition}`;
      const least = acknowledged.get(key) ?? -1;
      const { written } = groups.historyOf(group.groupId, topic, partition);
      const isKnown = least < 0 && offset < 0 ||
        written.some(({ value }, index) => index >= least && value === offset);
      if (isKnown) continue;
      onBroken(
        "an offset that is told was committed last",
        `${key} is told as ${offset}, and ${written[least]?.value} was acknowledged before`,
      );
    }
  }
}
