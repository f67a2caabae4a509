/**
 * A correct client of the consumer protocol (KIP-848), small: it heartbeats, gives back what it is not
 * to have any more before it says so, and takes what it is given.
 */
import { ErrorCode } from "../../../src/api/error_code.ts";
import { toMs } from "../../../src/ground/numbers.ts";
import type {
  ConsumerGroupHeartbeatRequest,
  ResponseTo,
} from "../../../src/group/group_request.ts";
import { commit, consumerHeartbeat } from "../requests.ts";
import {
  byTopic,
  Client,
  type ClientOptions,
  partitionOf,
  type Place,
  type Surroundings,
  topicOf,
} from "./client.ts";

const RETRY_MS = 500;
const LEAVE_EPOCH = -1;
const LEAVE_STATIC_EPOCH = -2;

export interface ConsumerOptions extends ClientOptions {
  readonly memberId: string;
  /** A pattern in place of names. */
  readonly regex: string | null;
}

type HeartbeatAnswer = ResponseTo<ConsumerGroupHeartbeatRequest>;

export class ConsumerClient extends Client {
  readonly protocol = "consumer";
  readonly #regex: string | null;
  #nextAt = toMs(0);
  /** Tells everything: it joins, or does not know whether the last answer was lost. */
  #isWhole = true;
  /** What it is to have, as long as it has not told that it has it. */
  #target: Set<Place> | undefined;
  /** Until when it gives up what it is not to have any more. */
  #givesUpAt = toMs(0);

  constructor(world: Surroundings, options: ConsumerOptions) {
    super(world, options);
    this.memberId = options.memberId;
    this.#regex = options.regex;
    this.epoch = 0;
  }

  get isSettled(): boolean {
    return this.epoch > 0 && !this.#isWhole && this.#target === undefined;
  }

  poll(): void {
    if (this.isFenced) return;
    for (let requests = 0; requests < 3; requests++) {
      const isTaking = this.#target !== undefined && this.now >= this.#givesUpAt;
      if (isTaking) this.owned = this.#target as Set<Place>;
      else if (this.now < this.#nextAt) return;
      this.#heartbeat(isTaking);
    }
  }

  leave(): void {
    this.owned = new Set();
    if (this.epoch <= 0) return;
    const isStatic = this.instanceId !== null;
    this.world.coordinator.send(consumerHeartbeat({
      groupId: this.groupId,
      memberId: this.memberId,
      instanceId: this.instanceId,
      memberEpoch: isStatic ? LEAVE_STATIC_EPOCH : LEAVE_EPOCH,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      topicPartitions: null,
    }));
  }

  onDisconnect(): void {
    this.#isWhole = true;
  }

  commit(epoch = this.epoch): void {
    const next = this.nextCommit();
    if (next === undefined || this.epoch <= 0) return;
    const [place, offset] = next;
    const answer = this.world.coordinator.ask(commit({
      groupId: this.groupId,
      memberId: this.memberId,
      generationIdOrMemberEpoch: epoch,
      topic: topicOf(place),
      partition: partitionOf(place),
      offset,
    }));
    const errorCode = answer.topics[0]?.partitions[0]?.errorCode;
    if (errorCode === ErrorCode.None) this.world.invariants.onCommitted(this, place, offset);
  }

  #heartbeat(hasTaken: boolean): void {
    const isWhole = this.#isWhole || this.epoch === 0;
    const { coordinator } = this.world;
    const isLost = this.world.random.oneIn(50);
    const answer = coordinator.ask(consumerHeartbeat({
      groupId: this.groupId,
      memberId: this.memberId,
      instanceId: this.instanceId,
      memberEpoch: this.epoch,
      rebalanceTimeoutMs: isWhole ? 30_000 : -1,
      subscribedTopicNames: isWhole && this.#regex === null ? this.topics : null,
      subscribedTopicRegex: isWhole ? this.#regex : null,
      topicPartitions: isWhole || hasTaken ? this.#ownedById() : null,
    }));
    if (hasTaken) this.#target = undefined;
    this.#isWhole = isLost;
    this.#nextAt = toMs(this.now + RETRY_MS);
    // An answer may be lost: the next heartbeat then tells everything.
    if (!isLost) this.#onAnswer(answer);
  }

  #onAnswer(answer: HeartbeatAnswer): void {
    switch (answer.errorCode) {
      case ErrorCode.None:
        return this.#onAlive(answer);
      case ErrorCode.UnknownMemberId:
      case ErrorCode.FencedMemberEpoch:
      case ErrorCode.GroupIdNotFound:
        this.owned = new Set();
        this.#target = undefined;
        this.epoch = 0;
        return;
      case ErrorCode.FencedInstanceId:
        this.owned.clear();
        this.isFenced = true;
        return;
      default:
        this.#isWhole = true;
    }
  }

  #onAlive({ memberEpoch = 0, heartbeatIntervalMs = 0, assignment }: HeartbeatAnswer): void {
    this.epoch = memberEpoch;
    this.#nextAt = toMs(this.now + heartbeatIntervalMs);
    if (assignment === null || assignment === undefined) return;
    const target = new Set<Place>();
    for (const { topicId, partitions } of assignment.topicPartitions) {
      const topic = this.image.topicById(topicId)?.name;
      for (const id of topic === undefined ? [] : partitions) target.add(`${topic}-${id}`);
    }
    // What it is to give up it needs some time for; then it takes the rest, and tells it at once.
    const mustGiveUp = [...this.owned].some((place) => !target.has(place));
    this.#target = target;
    this.#givesUpAt = toMs(this.now + (mustGiveUp ? this.world.random.below(4000) : 0));
  }

  #ownedById(): NonNullable<ConsumerGroupHeartbeatRequest["body"]["topicPartitions"]> {
    return byTopic(this.owned).flatMap(({ topic, partitions }) => {
      const topicId = this.image.topic(topic)?.topicId;
      return topicId === undefined ? [] : [{ topicId, partitions }];
    });
  }
}
