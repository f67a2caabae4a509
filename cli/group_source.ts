/**
 * Reads as a member of a group, and commits what was delivered.
 *
 * The library joins, divides, and commits; here it is told what is done. Of a partition that is taken
 * away nothing more is begun; it is waited for until what was begun is out, so that its next owner
 * begins behind it.
 */
import type { Context } from "./context.ts";
import { failureOf, usageFailure } from "./failure.ts";
import { assignorOptions, type Membership } from "./group_flags.ts";
import type { OffsetRange } from "./offset_range.ts";
import type { RecordSource } from "./record_source.ts";
import type { Batch, Client } from "./session.ts";
import { untilStopped } from "./until_stopped.ts";
import type { Retry } from "./wait_notice.ts";

type GroupConsumer = ReturnType<Client["groupConsumer"]>;
type GroupConsumerOptions = Parameters<Client["groupConsumer"]>[0];
type Partitions = Parameters<NonNullable<GroupConsumerOptions["onRevoked"]>>[0];

export interface GroupSourceOptions {
  readonly context: Context;
  readonly client: Client;
  readonly topics: readonly string[];
  readonly membership: Membership;
  readonly range: OffsetRange;
  readonly isolation: "read_committed" | "read_uncommitted";
  /** Ends the reading. */
  readonly stop: AbortSignal;
  onRetry(retry: Retry): void;
  /** Resolves when what was read so far has been delivered. */
  settled(): Promise<void>;
}

/** A commit that is refused so is not repeated: the partition is somebody else's, who reads it again. */
const LOST = new Set([
  "ILLEGAL_GENERATION",
  "REBALANCE_IN_PROGRESS",
  "STALE_MEMBER_EPOCH",
  "UNKNOWN_MEMBER_ID",
]);

export class GroupSource implements RecordSource {
  readonly #options: GroupSourceOptions;
  readonly #consumer: GroupConsumer;
  /** Partitions that are this member's, "orders-0". */
  readonly #held = new Set<string>();
  /** By partition; empty where the range has no end of its own. */
  readonly #untils: ReadonlyMap<string, number>;

  private constructor(options: GroupSourceOptions, untils: ReadonlyMap<string, number>) {
    this.#options = options;
    this.#untils = untils;
    this.#consumer = options.client.groupConsumer(this.#consumerOptions());
  }

  /** Throws where a topic is not there. */
  static async create(options: GroupSourceOptions): Promise<GroupSource> {
    const { client, topics, range: { until } } = options;
    const described = await client.admin.describeTopics(topics);
    for (const { error } of described) if (error !== undefined) throw error;
    const isBounded = until !== undefined && until.kind !== "end";
    return new GroupSource(options, isBounded ? await untilsOf(options) : new Map());
  }

  async *batches(): AsyncGenerator<Batch, void, void> {
    const batches = this.#consumer.batches();
    for (;;) {
      const next = await untilStopped(batches.next(), this.#options.stop);
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  }

  isHeld(topic: string, partition: number): boolean {
    return this.#held.has(`${topic}-${partition}`);
  }

  until(topic: string, partition: number): number {
    return this.#untils.get(`${topic}-${partition}`) ?? Infinity;
  }

  onDelivered(topic: string, partition: number, nextOffset: number): void {
    if (this.#options.membership.commit === "none") return;
    this.#consumer.done(topic, partition, Math.min(nextOffset, this.until(topic, partition)));
  }

  onBatchEnd(settled: () => Promise<void>): void | Promise<void> {
    if (this.#options.membership.commit === "batch") return this.#commitBatch(settled);
  }

  async close(isDelivered: boolean): Promise<void> {
    const { membership: { commit } } = this.#options;
    await this.#consumer.close({ commit: isDelivered && commit !== "none" });
  }

  async #commitBatch(settled: () => Promise<void>): Promise<void> {
    await untilStopped(settled(), this.#options.stop);
    if (this.#options.stop.aborted) return; // closing commits what is done
    try {
      await this.#consumer.commit();
    } catch (error) {
      const { code, message } = failureOf(error);
      if (!LOST.has(code)) throw error;
      const { printer } = this.#options.context;
      printer.warn(
        `A commit was refused: ${message}`,
        "Its records are read again by their new owner",
      );
    }
  }

  #consumerOptions(): GroupConsumerOptions {
    const { context, topics, membership, range, isolation, onRetry } = this.#options;
    const { groupId, commit, protocol, instanceId } = membership;
    return {
      groupId,
      topics,
      protocol,
      ...assignorOptions(membership),
      ...(instanceId === undefined ? {} : { instanceId }),
      from: range.from,
      ...(range.until === undefined ? {} : { until: "end" }),
      isolation,
      commit: commit === "auto" ? "auto" : "manual",
      onAssigned: (partitions) => {
        for (const { topic, partition } of partitions) this.#held.add(`${topic}-${partition}`);
      },
      // What was read and not begun is the next owner's, who should not be kept waiting.
      onRevoking: (partitions) => this.#drop(partitions),
      onRevoked: () => untilStopped(this.#options.settled(), this.#options.stop),
      onLost: (partitions) => this.#drop(partitions),
      onRetry,
      onNotice: ({ kind, message }) => {
        const hint = kind === "too-slow"
          ? "Fewer records at a time, or a faster command; another member reads them again"
          : undefined;
        context.printer.warn(message, hint);
      },
    };
  }

  #drop(partitions: Partitions): void {
    for (const { topic, partition } of partitions) this.#held.delete(`${topic}-${partition}`);
  }
}

/**
 * Where each partition ends. A group ends by itself only at the end of its topics, so a bound beyond
 * that would never be reached by the members that have nothing to read.
 */
async function untilsOf(options: GroupSourceOptions): Promise<ReadonlyMap<string, number>> {
  const { context, client, topics, range: { from, until }, isolation } = options;
  const { resolveOffsets } = await context.library();
  if (until === undefined) return new Map();
  if (until.kind === "length") {
    throw usageFailure(
      `Invalid end +${until.count} of a range for a group: each partition begins where it was committed`,
      "-n N stops after N records; an end may be an offset, a time, or 'end'",
    );
  }
  const untils = new Map<string, number>();
  for (const topic of topics) {
    const resolved = await resolveOffsets(client, topic, { from, until }, { isolation });
    const ends = await client.admin.listOffsets(topic, "end", { isolation });
    for (const { partition, until: bound = 0 } of resolved) {
      const end = ends.find((listed) => listed.partition === partition)?.offset ?? 0;
      if (bound > end) {
        throw usageFailure(
          `Invalid end ${bound} of a range for a group: ${topic}-${partition} ends at ${end}`,
          "Say 'end', or follow with -n N",
        );
      }
      untils.set(`${topic}-${partition}`, bound);
    }
  }
  return untils;
}
