/**
 * A correct client of the classic protocol, small: it joins, syncs, heartbeats, and gives up its
 * partitions before it joins again (eager) or after it was told to (cooperative).
 */
import {
  readAssignment,
  readSubscription,
  type Subscription,
  writeAssignment,
  writeSubscription,
} from "../../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { toMs } from "../../../src/ground/numbers.ts";
import type {
  JoinGroupRequest,
  ResponseTo,
  SyncGroupRequest,
} from "../../../src/group/group_request.ts";
import { commit, heartbeat, join, leave, sync } from "../requests.ts";
import {
  allPlaces,
  byTopic,
  Client,
  type ClientOptions,
  partitionOf,
  placesOf,
  type Surroundings,
  topicOf,
} from "./client.ts";
import { assign } from "./leader.ts";

const HEARTBEAT_MS = 3000;
const RETRY_MS = 500;

export interface ClassicOptions extends ClientOptions {
  readonly isCooperative: boolean;
}

export class ClassicClient extends Client {
  readonly protocol = "classic";
  readonly #isCooperative: boolean;
  #phase: "out" | "joining" | "syncing" | "in" = "out";
  #mustRejoin = false;
  #nextAt = toMs(0);
  /** What the leader assigned from; it calls all back where that has changed. */
  #assignedFrom: string | undefined;
  #groupTopics: readonly string[] = [];

  constructor(world: Surroundings, options: ClassicOptions) {
    super(world, options);
    this.#isCooperative = options.isCooperative;
  }

  get isSettled(): boolean {
    return this.#phase === "in" && !this.#mustRejoin && this.asked === undefined;
  }

  poll(): void {
    if (this.isFenced) return;
    // A few requests follow each other at once; each is waited for.
    for (let requests = 0; requests < 4; requests++) {
      if (this.asked !== undefined) {
        if (this.asked.answer === undefined) return;
        this.#onAnswer();
        if (this.isFenced) return;
      }
      if (this.asked === undefined && !this.#act()) return;
    }
  }

  leave(): void {
    this.owned.clear();
    if (this.memberId === "") return;
    this.world.coordinator.send(leave(this.memberId, { groupId: this.groupId }));
  }

  onDisconnect(): void {
    if (this.asked === undefined) return;
    this.asked = undefined;
    if (this.#phase !== "in") this.#becomeOut(RETRY_MS);
  }

  commit(epoch = this.epoch): void {
    const next = this.nextCommit();
    if (next === undefined || this.#phase !== "in") return;
    const [place, offset] = next;
    const answer = this.world.coordinator.ask(commit({
      groupId: this.groupId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      generationIdOrMemberEpoch: epoch,
      topic: topicOf(place),
      partition: partitionOf(place),
      offset,
    }));
    const errorCode = answer.topics[0]?.partitions[0]?.errorCode;
    if (errorCode === ErrorCode.None) this.world.invariants.onCommitted(this, place, offset);
  }

  /** Whether there was anything to send. */
  #act(): boolean {
    if (this.now < this.#nextAt && !this.#mustRejoin) return false;
    if (this.#phase === "in" && this.#assignedFrom !== undefined) {
      if (this.#assignedFrom !== this.#metadata()) this.#mustRejoin = true;
    }
    if (this.#phase === "in" && !this.#mustRejoin) {
      this.#nextAt = toMs(this.now + HEARTBEAT_MS);
      this.send(heartbeat({
        groupId: this.groupId,
        generationId: this.epoch,
        memberId: this.memberId,
        groupInstanceId: this.instanceId,
      }));
      return true;
    }
    if (!this.#isCooperative) this.owned.clear();
    this.#phase = "joining";
    this.#mustRejoin = false;
    this.send(join({
      groupId: this.groupId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      protocols: [{
        name: this.#isCooperative ? "cooperative-sticky" : "range",
        metadata: writeSubscription({
          topics: this.topics,
          ownedPartitions: byTopic(this.owned),
          generationId: this.owned.size === 0 ? -1 : this.epoch,
        }),
      }],
    }));
    return true;
  }

  #onAnswer(): void {
    const { request, answer } = this.asked as NonNullable<typeof this.asked>;
    this.asked = undefined;
    if (request.kind === "JoinGroup") {
      this.#onJoined(answer as ResponseTo<JoinGroupRequest>);
    } else if (request.kind === "SyncGroup") {
      this.#onSynced(answer as ResponseTo<SyncGroupRequest>);
    } else {
      this.#onError((answer as { readonly errorCode: ErrorCode }).errorCode);
    }
  }

  #onJoined(answer: ResponseTo<JoinGroupRequest>): void {
    const { errorCode, memberId, generationId = -1, protocolName, leader } = answer;
    if (errorCode === ErrorCode.MemberIdRequired) {
      this.memberId = memberId;
      return this.#becomeOut(0);
    }
    if (errorCode !== ErrorCode.None) return this.#onError(errorCode as ErrorCode);
    this.memberId = memberId;
    this.epoch = generationId;
    this.world.invariants.onGeneration(this, generationId);
    this.#phase = "syncing";
    const isLeader = leader === memberId && answer.members.length > 0;
    // The leader watches the topics of everybody.
    const topics = answer.members.flatMap(({ metadata }) =>
      readSubscription(metadata)?.topics ?? []
    );
    this.#groupTopics = [...new Set(topics)].sort();
    // One that comes back and is told to skip the assignment does not know what was assigned from.
    const isSkipping = answer.skipAssignment ?? false;
    this.#assignedFrom = isLeader ? (isSkipping ? "" : this.#metadata()) : undefined;
    this.send(sync({
      groupId: this.groupId,
      memberId,
      groupInstanceId: this.instanceId,
      generationId,
      protocolName,
      assignments: isLeader && !isSkipping ? this.#assignments(answer) : [],
    }));
  }

  #assignments(answer: ResponseTo<JoinGroupRequest>): SyncGroupRequest["body"]["assignments"] {
    const joined = answer.members.map(({ memberId, metadata }) => ({
      memberId,
      subscription: readSubscription(metadata) as Subscription,
    }));
    return [...assign(this.image, joined, this.#isCooperative)].map(([memberId, places]) => ({
      memberId,
      assignment: writeAssignment({ assignedPartitions: byTopic(places) }),
    }));
  }

  #onSynced({ errorCode, assignment }: ResponseTo<SyncGroupRequest>): void {
    if (errorCode !== ErrorCode.None) return this.#onError(errorCode as ErrorCode);
    const read = assignment.length === 0 ? undefined : readAssignment(assignment);
    const given = placesOf(read?.assignedPartitions ?? []);
    const isGivingUp = [...this.owned].some((place) => !given.has(place));
    this.owned = given;
    this.#phase = "in";
    this.#mustRejoin = this.#isCooperative && isGivingUp;
    this.#nextAt = toMs(this.now + HEARTBEAT_MS);
    this.world.invariants.onAssigned(this, this.epoch, given);
  }

  #onError(errorCode: ErrorCode): void {
    switch (errorCode) {
      case ErrorCode.None:
        return;
      case ErrorCode.RebalanceInProgress:
        if (this.#phase === "in") this.#mustRejoin = true;
        else this.#becomeOut(0);
        return;
      case ErrorCode.FencedInstanceId:
        this.owned.clear();
        this.isFenced = true;
        return;
      case ErrorCode.UnknownMemberId:
        this.memberId = "";
        this.#lose();
        return;
      case ErrorCode.IllegalGeneration:
        this.#lose();
        return;
      default:
        if (this.#phase !== "in") this.#becomeOut(RETRY_MS);
    }
  }

  /** It is no member any more: what it read is others' by now. */
  #lose(): void {
    this.owned.clear();
    this.epoch = -1;
    this.#becomeOut(0);
  }

  #becomeOut(delayMs: number): void {
    this.#phase = "out";
    this.#nextAt = toMs(this.now + delayMs);
  }

  #metadata(): string {
    return allPlaces(this.image, this.#groupTopics).join();
  }
}
