/**
 * A cluster made of values that keeps what it is told: topics with partitions and offsets, groups with
 * members and commits. For the commands about groups and dead letters.
 *
 * Not here: members that share a group; one consumer has all partitions until a test revokes some.
 */
import type { Library } from "../../cli/context.ts";
import { fakeGroupAdmin } from "./fake_group_admin.ts";
import { FakeGroupConsumer, type FakeGroupOptions } from "./fake_group_consumer.ts";
import { codedError, cursorOver, type FakeRecord } from "./fake_library.ts";

export interface StoredRecord extends FakeRecord {
  readonly headers: readonly (readonly [string, Uint8Array | null])[];
}

export interface StoredCommit {
  readonly offset: number;
  readonly metadata: string;
}

export interface StoredGroup {
  state: string;
  type: string;
  members: { readonly memberId: string; readonly assignment: readonly object[] }[];
  history: readonly object[] | null;
  readonly commits: Map<string, StoredCommit>;
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
}

interface Appended {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: StoredRecord["headers"];
  readonly timestamp?: number;
  readonly partition?: number | undefined;
}

export type Point = { readonly kind: string; readonly offset?: number; readonly count?: number };

export class LogCluster {
  /** By topic, then partition. */
  readonly topics = new Map<string, StoredRecord[][]>();
  /** First offsets that are there, "t-0". */
  readonly starts = new Map<string, number>();
  /** Who leads, "t-0", where it is not node 1; -1 = nobody. */
  readonly leaders = new Map<string, number>();
  readonly groups = new Map<string, StoredGroup>();
  readonly configs = new Map<string, object>();
  /** What `groupLag` adds to what it counts, "t-0". */
  readonly lagFacts = new Map<string, object>();
  readonly consumers: FakeGroupConsumer[] = [];
  /** As after kill -9: so many records are still taken, then nothing works for this client. */
  sendsLeft = Infinity;
  isGone = false;
  /** Called when a consumer of a group has handed out all there is. */
  onIdle: ((consumer: FakeGroupConsumer) => void) | undefined;
  /** Called before offsets are committed without a member. */
  onAlter: ((groupId: string) => void) | undefined;
  readonly removed: string[] = [];

  topic(name: string, ...partitions: readonly (readonly string[])[]): void {
    this.topics.set(
      name,
      (partitions.length === 0 ? [[]] : partitions).map((values) =>
        values.map((value) => ({ key: null, value, headers: [], timestamp: 1 }))
      ),
    );
  }

  group(groupId: string, commits: Readonly<Record<string, number>> = {}): StoredGroup {
    const group: StoredGroup = {
      state: "Empty",
      type: "classic",
      members: [],
      history: null,
      commits: new Map(
        Object.entries(commits).map(([key, offset]) => [key, { offset, metadata: "" }]),
      ),
    };
    this.groups.set(groupId, group);
    return group;
  }

  records(topic: string, partition = 0): readonly StoredRecord[] {
    return this.topics.get(topic)?.[partition] ?? [];
  }

  values(topic: string, partition = 0): readonly (string | null)[] {
    return this.records(topic, partition).map(({ value }) => value);
  }

  committed(groupId: string, key: string): number | undefined {
    return this.groups.get(groupId)?.commits.get(key)?.offset;
  }

  library(): Promise<Library> {
    const library = {
      connect: () => Promise.resolve(this.#client()),
      createHostEnv: () => ({}),
      resolveOffsets: (
        _: unknown,
        topic: string,
        range: { from: Point; until?: Point },
        { partitions = this.#partitionsOf(topic) }: { partitions?: readonly number[] } = {},
      ) => {
        if (!this.topics.has(topic)) throw codedError("UNKNOWN_TOPIC_OR_PARTITION");
        return Promise.resolve(
          partitions.map((partition) => ({
            topic,
            partition,
            from: Math.max(
              this.offsetOf({ topic, partition }, range.from),
              this.#start(topic, partition),
            ),
            ...(range.until === undefined
              ? {}
              : { until: this.offsetOf({ topic, partition }, range.until) }),
          })),
        );
      },
    };
    return Promise.resolve(library as unknown as Library);
  }

  offsetOf({ topic, partition }: Place, point: Point): number {
    const end = this.records(topic, partition).length;
    if (point.kind === "start") return this.#start(topic, partition);
    if (point.kind === "end") return end;
    if (point.kind === "from-end") return end - (point.count ?? 0);
    return point.offset ?? 0;
  }

  #partitionsOf(topic: string): readonly number[] {
    return (this.topics.get(topic) ?? []).map((_, partition) => partition);
  }

  #start(topic: string, partition: number): number {
    return this.starts.get(`${topic}-${partition}`) ?? 0;
  }

  #client(): unknown {
    this.isGone = false;
    return {
      admin: this.#admin(),
      producer: () => ({
        send: (topic: string, record: Appended) => this.#send(topic, record),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
      consumer: ({ assignments }: { assignments: readonly (Place & { from: number })[] }) => ({
        batches: () => this.#batches(assignments),
      }),
      groupConsumer: (options: FakeGroupOptions) => {
        const consumer = new FakeGroupConsumer(this, options);
        this.consumers.push(consumer);
        return consumer;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  #send(topic: string, record: Appended): Promise<{ partition: number; offset: number }> {
    if (this.sendsLeft-- <= 0) this.isGone = true;
    this.rejectGone();
    const partition = record.partition ?? 0;
    const log = this.topics.get(topic)?.[partition];
    if (log === undefined) return Promise.reject(codedError("UNKNOWN_TOPIC_OR_PARTITION"));
    const text = (bytes: Uint8Array | null): string | null =>
      bytes === null ? null : new TextDecoder().decode(bytes);
    const { headers = [], timestamp = 0 } = record;
    log.push({ key: text(record.key), value: text(record.value), headers, timestamp });
    return Promise.resolve({ partition, offset: log.length - 1 });
  }

  rejectGone(): void {
    if (this.isGone) throw codedError("ABORTED", "killed");
  }

  async *#batches(
    assignments: readonly (Place & { readonly from: number; readonly until?: number })[],
  ): AsyncGenerator<unknown> {
    for (const { topic, partition, from, until } of assignments) {
      await Promise.resolve();
      yield this.batch({ topic, partition }, from, until);
    }
  }

  batch({ topic, partition }: Place, from: number, until?: number): unknown {
    const records = this.records(topic, partition).slice(from, until);
    const nextOffset = from + records.length;
    return { topic, partition, nextOffset, records: () => placedCursor(records, from) };
  }

  #admin(): unknown {
    const missing = (): Error => codedError("UNKNOWN_TOPIC_OR_PARTITION");
    return {
      groups: fakeGroupAdmin(this),
      listTopics: () =>
        Promise.resolve([...this.topics.keys()].map((name) => ({ name, isInternal: false }))),
      describeTopics: (names: readonly string[]) =>
        Promise.resolve(names.map((name) => {
          if (!this.topics.has(name)) return { name, error: missing() };
          const partitions = this.#partitionsOf(name).map((partition) => ({
            partition,
            leaderId: this.leaders.get(`${name}-${partition}`) ?? 1,
          }));
          return { name, topic: { name, partitions } };
        })),
      createTopics: (wanted: readonly { name: string; configs: object }[]) =>
        Promise.resolve(wanted.map(({ name, configs }) => {
          this.topic(name);
          this.configs.set(name, configs);
          return { name };
        })),
      listOffsets: (
        topic: string,
        spec: string,
        options: { partitions?: readonly number[] } = {},
      ) =>
        Promise.resolve(
          (options.partitions ?? this.#partitionsOf(topic)).map((partition) => ({
            partition,
            offset: this.offsetOf({ topic, partition }, { kind: spec }),
          })),
        ),
      deleteRecords: (topic: string, offsets: ReadonlyMap<number, number>) =>
        Promise.resolve([...offsets].map(([partition, lowWatermark]) => {
          this.starts.set(`${topic}-${partition}`, lowWatermark);
          return { partition, lowWatermark };
        })),
    };
  }
}

/** A cursor whose first record has the offset `from`. */
function placedCursor(records: readonly FakeRecord[], from: number): unknown {
  const cursor = cursorOver(records) as { index: number; offset(): number };
  cursor.offset = () => from + cursor.index;
  return cursor;
}
