/**
 * What is told of groups: how far each has read, how far it is behind, in records and in seconds, and
 * where it stands still. Names after kafka_exporter's where it has the number.
 *
 *     committed offset ──────────► high watermark        lag = records between them
 *         │ first unread record                          lag in seconds = its age
 *
 * A group is told of by the broker that coordinates it, and by no other. What lies behind an offset
 * knows the leader of its partition: where that is another broker it is asked (`RemoteEnds`), for a
 * follower's copy may be behind. All of one page is looked at once, and bounded: a page is no place for
 * a million lines.
 */
import type { Env } from "../env/env.ts";
import type { GroupShard } from "../group/group_shard.ts";
import type { ClusterImage } from "../metadata/image.ts";
import type { GroupCoordinator } from "../runtime/coordinator/coordinator.ts";
import {
  RemoteEnds,
  type RemoteEndsOptions,
  type RemotePlace,
} from "../runtime/coordinator/remote_ends.ts";
import { isBehind, isLedHere } from "../runtime/coordinator/unread_ends.ts";
import { type Unread, UnreadTimes } from "../runtime/coordinator/unread_times.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { PartitionTable } from "../runtime/partition_table.ts";

export interface GroupMetricsOptions {
  /** Of this broker. */
  readonly nodeId: number;
  readonly env: Pick<Env, "clock">;
  readonly groups: GroupCoordinator<GroupShard>;
  readonly image: ClusterImage;
  readonly partitions: PartitionTable;
  readonly askUnread: RemoteEndsOptions["ask"];
  readonly stuckMs: number;
}

/** A committed offset, and where it is known what lies behind it: here, elsewhere, or nowhere. */
interface Row {
  readonly groupId: string;
  readonly topic: string;
  readonly partitionId: number;
  readonly offset: number;
  readonly advancedAtMs: number;
  readonly here: Unread | undefined;
  readonly elsewhere: RemotePlace | undefined;
}

type SetValue = (value: number, ...labels: readonly string[]) => void;

/** Of a page: ten thousand take it a tenth of a second. */
const ROWS_MAX = 10_000;
const PARTITION_LABELS = ["consumergroup", "topic", "partition"];
const TOPIC_LABELS = ["consumergroup", "topic"];
const GROUP_LABELS = ["consumergroup"];

export class GroupMetrics {
  readonly #options: GroupMetricsOptions;
  readonly #times: UnreadTimes;
  readonly #ends: RemoteEnds;
  #rows: readonly Row[] = [];

  constructor(options: GroupMetricsOptions) {
    const { env: { clock }, askUnread: ask } = options;
    this.#options = options;
    this.#times = new UnreadTimes(clock);
    this.#ends = new RemoteEnds({ clock, ask });
  }

  /** To be awaited before a page is made; undefined where nothing has to be looked up. */
  prepare(): Promise<unknown> | undefined {
    this.#rows = this.#read();
    const here = this.#rows.flatMap(({ here }) => here !== undefined && isBehind(here) ? here : []);
    const elsewhere = this.#rows.flatMap(({ elsewhere }) => elsewhere ?? []);
    if (here.length + elsewhere.length === 0) return undefined;
    return Promise.all([this.#times.look(here), this.#ends.look(elsewhere)]);
  }

  observe(metrics: Metrics): void {
    const { groups } = this.#options;
    this.#observeOffsets(metrics);
    const gauge = (
      name: string,
      help: string,
      labels: readonly string[],
      read: (set: SetValue) => void,
    ): void => metrics.gauge({ name, help, labels }, read);
    gauge("kafka_consumergroup_members", "Members of a group.", GROUP_LABELS, (set) => {
      for (const shard of groups.shards()) {
        for (const { groupId, memberCount } of shard.groups()) set(memberCount, groupId);
      }
    });
    gauge(
      "mq_group_lag_seconds",
      "Age of the first record that a group has not read; 0 where it has read all.",
      PARTITION_LABELS,
      (set) => {
        for (const row of this.#rows) {
          const seconds = this.#lagSeconds(row);
          if (seconds !== undefined) set(seconds, row.groupId, row.topic, String(row.partitionId));
        }
      },
    );
    gauge(
      "mq_group_stuck_partitions",
      "Partitions of a group with unread records whose committed offset has not moved for mq.group.stuck.ms.",
      GROUP_LABELS,
      (set) => {
        for (const [groupId, count] of this.#stuckCounts()) set(count, groupId);
      },
    );
    gauge(
      "mq_group_coordinator_loading_partitions",
      "Partitions of groups being loaded.",
      [],
      (set) => {
        set(groups.loadingCount);
      },
    );
    const counts = groups.rebalances;
    metrics.count("mq_group_classic_rebalances_total", "Rebalances of classic groups.", () => {
      return counts.classic;
    });
    metrics.count("mq_group_consumer_rebalances_total", "Rebalances of consumer groups.", () => {
      return counts.consumer;
    });
  }

  #observeOffsets(metrics: Metrics): void {
    const both = (name: string, help: string, read: (row: Row) => number | undefined): void => {
      metrics.gauge({ name, help: `${help}.`, labels: PARTITION_LABELS }, (set) => {
        for (const row of this.#rows) {
          const value = read(row);
          if (value !== undefined) set(value, row.groupId, row.topic, String(row.partitionId));
        }
      });
      metrics.gauge({
        name: `${name}_sum`,
        help: `${help}, of all partitions of a topic.`,
        labels: TOPIC_LABELS,
      }, (set) => sumByTopic(this.#rows, read, set));
    };
    both(
      "kafka_consumergroup_current_offset",
      "Committed offset of a group",
      ({ offset }) => offset,
    );
    both("kafka_consumergroup_lag", "Records that a group has not read", (row) => this.#lag(row));
  }

  #read(): readonly Row[] {
    const rows: Row[] = [];
    for (const shard of this.#options.groups.shards()) {
      for (const group of shard.groups()) {
        const { groupId } = group;
        group.forEachOffset((topic, partitionId, { offset, advancedAtMs }) => {
          if (rows.length === ROWS_MAX) return;
          const place = this.#placeOf(groupId, { topic, partitionId, offset });
          rows.push({ groupId, topic, partitionId, offset, advancedAtMs, ...place });
        });
        if (rows.length === ROWS_MAX) return rows;
      }
    }
    return rows;
  }

  #placeOf(
    groupId: string,
    { topic, partitionId, offset }: Pick<Row, "topic" | "partitionId" | "offset">,
  ): Pick<Row, "here" | "elsewhere"> {
    const { partitions, image, nodeId } = this.#options;
    const partition = partitions.get(topic, partitionId);
    if (partition !== undefined && isLedHere(partition)) {
      const key = `${groupId}\n${topic}\n${partitionId}`;
      return { here: { key, offset, partition }, elsewhere: undefined };
    }
    const { topicId, partitions: known } = image.topic(topic) ?? {};
    const leader = known?.[partitionId]?.leader ?? -1;
    const isElsewhere = topicId !== undefined && leader >= 0 && leader !== nodeId;
    return {
      here: undefined,
      elsewhere: isElsewhere ? { leader, topicId, partitionId, offset } : undefined,
    };
  }

  /** Undefined where it is not known. */
  #lag({ here, elsewhere, offset }: Row): number | undefined {
    const end = here?.partition.highWatermark ??
      (elsewhere === undefined ? undefined : this.#ends.get(elsewhere)?.highWatermark);
    return end === undefined ? undefined : Math.max(end - offset, 0);
  }

  #lagSeconds(row: Row): number | undefined {
    const lag = this.#lag(row);
    if (lag === undefined || lag === 0) return lag;
    const writtenMs = this.#writtenMs(row);
    if (writtenMs === undefined) return undefined;
    return Math.max(this.#options.env.clock.wallMs() - writtenMs, 0) / 1000;
  }

  #writtenMs({ here, elsewhere }: Row): number | undefined {
    if (here !== undefined) return this.#times.get(here);
    const writtenMs = elsewhere === undefined ? -1 : this.#ends.get(elsewhere)?.writtenMs ?? -1;
    return writtenMs < 0 ? undefined : writtenMs;
  }

  /** Groups without a stuck partition are told with 0, so that an alert can end. */
  #stuckCounts(): ReadonlyMap<string, number> {
    const { groups, stuckMs } = this.#options;
    const counts = new Map<string, number>();
    const advancedBeforeMs = groups.now() - stuckMs;
    for (const row of this.#rows) {
      const isStuck = row.advancedAtMs <= advancedBeforeMs &&
        (this.#lagSeconds(row) ?? 0) * 1000 >= stuckMs;
      counts.set(row.groupId, (counts.get(row.groupId) ?? 0) + (isStuck ? 1 : 0));
    }
    return counts;
  }
}

/** Only what is known of every partition that has an offset makes a sum. */
function sumByTopic(
  rows: readonly Row[],
  read: (row: Row) => number | undefined,
  set: SetValue,
): void {
  const sums = new Map<string, { readonly row: Row; sum: number | undefined }>();
  for (const row of rows) {
    const key = `${row.groupId}\n${row.topic}`;
    const value = read(row);
    const entry = sums.get(key);
    if (entry === undefined) sums.set(key, { row, sum: value });
    else entry.sum = entry.sum === undefined || value === undefined ? undefined : entry.sum + value;
  }
  for (const { row: { groupId, topic }, sum } of sums.values()) {
    if (sum !== undefined) set(sum, groupId, topic);
  }
}
