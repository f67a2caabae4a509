/**
 * Members of both protocols as real clients are, and what chance does to them, to the topics and to the
 * coordinator (`random_group_test.ts`).
 *
 * Long because the world and those in it are one model.
 */
import { expect } from "bun:test";
import {
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from "../../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { Prng } from "../../../src/ground/prng.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import {
  difference,
  intersection,
  listOf,
  type Partitions,
  partitionsOf,
} from "../../../src/group/consumer/partitions.ts";
import { type Asked, Coordinator } from "../coordinator.ts";
import {
  consumerHeartbeat,
  describeConsumerGroup,
  describeGroup,
  heartbeat,
  join,
  leave,
  sync,
} from "../requests.ts";

const NOTHING: Partitions = new Map();
const EVERY_TOPIC = "t.*";
/** In so many rounds of heartbeats a group is to settle. */
export const ROUNDS_MAX = 12;

export class Member {
  readonly world: World;
  readonly instanceId: string | null;
  memberId: string;
  epoch = 0;
  isIn = false;
  owned: Partitions = NOTHING;
  topics: readonly string[];
  regex: string | null = null;

  constructor(world: World, memberId: string, instanceId: string | null) {
    this.world = world;
    this.memberId = memberId;
    this.instanceId = instanceId;
    this.topics = world.someTopics();
  }

  /** One round of its own; an answer that is lost changes nothing here. */
  act(isAnswerLost = false): void {
    const { coordinator } = this.world;
    const isJoining = !this.isIn;
    const asked = coordinator.ask(consumerHeartbeat({
      memberId: this.memberId,
      memberEpoch: isJoining ? 0 : this.epoch,
      instanceId: this.instanceId,
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: this.topics,
      subscribedTopicRegex: this.regex,
      topicPartitions: isJoining ? [] : listOf(this.owned),
    }));
    if (isAnswerLost) return;
    switch (asked.errorCode) {
      case ErrorCode.None:
        this.isIn = true;
        this.epoch = asked.memberEpoch ?? 0;
        if (asked.assignment) this.owned = partitionsOf(asked.assignment.topicPartitions);
        return;
      case ErrorCode.CoordinatorNotAvailable:
        return;
      default:
        this.lose();
    }
  }

  go(epoch: -1 | -2): void {
    if (!this.isIn) return;
    const { memberId, instanceId } = this;
    this.world.coordinator.ask(consumerHeartbeat({ memberId, memberEpoch: epoch, instanceId }));
    this.lose();
  }

  lose(): void {
    this.isIn = false;
    this.epoch = 0;
    this.owned = NOTHING;
    // Fenced under its id, it begins anew under another, as a new process does.
    this.memberId = this.world.newMemberId();
  }
}

/** Speaks the classic protocol as a cooperative consumer does. */
export class ClassicMember {
  readonly world: World;
  memberId = "";
  generation = -1;
  phase: "join" | "joining" | "sync" | "syncing" | "live" = "join";
  owned: Partitions = NOTHING;
  topics: readonly string[];
  /** Those that it leads, in a classic group. */
  led: readonly { readonly memberId: string; readonly metadata: Uint8Array }[] = [];
  #waits: Asked<ReturnType<typeof join>> | Asked<ReturnType<typeof sync>> | undefined;

  constructor(world: World) {
    this.world = world;
    this.topics = world.someTopics();
  }

  act(): void {
    const { coordinator } = this.world;
    if (this.phase === "join") {
      this.#waits = coordinator.send(join({
        memberId: this.memberId,
        sessionTimeoutMs: 45_000,
        protocols: [{ name: "cooperative-sticky", metadata: this.#metadata() }],
      }));
      this.phase = "joining";
    } else if (this.phase === "sync") {
      this.#waits = coordinator.send(sync({
        memberId: this.memberId,
        generationId: this.generation,
        protocolName: "cooperative-sticky",
        assignments: this.led.map(({ memberId }, at) => ({
          memberId,
          assignment: this.world.classicAssignment(this.led, at),
        })),
      }));
      this.phase = "syncing";
    } else if (this.phase === "live") {
      const { memberId, generation: generationId } = this;
      const { errorCode } = coordinator.ask(heartbeat({ memberId, generationId }));
      if (errorCode !== ErrorCode.None) this.#refused(errorCode);
    }
    coordinator.wakeAll();
    this.listen();
  }

  /** Takes the answer that it waits for, if it has come. */
  listen(): void {
    const answer = this.#waits?.answer;
    if (answer === undefined) return;
    this.#waits = undefined;
    if (answer.errorCode !== ErrorCode.None) {
      return this.#refused(answer.errorCode, "memberId" in answer ? answer.memberId : "");
    }
    if ("memberId" in answer) {
      this.memberId = answer.memberId;
      this.generation = answer.generationId ?? -1;
      this.led = answer.leader === answer.memberId ? answer.members : [];
      this.phase = "sync";
    } else {
      const assigned = readAssignment(answer.assignment)?.assignedPartitions ?? [];
      this.owned = this.world.byId(assigned);
      this.phase = "live";
    }
  }

  leave(): void {
    if (this.memberId !== "") this.world.coordinator.ask(leave(this.memberId));
    this.forget();
  }

  forget(): void {
    this.memberId = "";
    this.generation = -1;
    this.owned = NOTHING;
    this.phase = "join";
    this.#waits = undefined;
  }

  /** The connection is gone with the coordinator: who waited asks again. */
  reconnect(): void {
    if (this.#waits !== undefined) this.phase = "join";
    this.#waits = undefined;
  }

  #refused(errorCode: number, memberId = ""): void {
    this.phase = "join";
    if (errorCode === ErrorCode.MemberIdRequired) this.memberId = memberId;
    if (errorCode === ErrorCode.UnknownMemberId) this.forget();
    if (errorCode === ErrorCode.IllegalGeneration) this.owned = NOTHING;
  }

  #metadata(): Uint8Array {
    return writeSubscription({
      topics: this.topics,
      ownedPartitions: this.world.byName(this.owned),
      generationId: this.generation,
    });
  }
}

export class World {
  readonly coordinator: Coordinator;
  readonly random: Prng;
  readonly members: Member[] = [];
  readonly classics: ClassicMember[] = [];
  #ids = 0;
  #topics = 0;

  constructor(seed: number) {
    this.random = new Prng(seed);
    this.coordinator = new Coordinator({ seed });
    for (let count = 0; count < 3; count++) this.newTopic();
  }

  newMemberId(): string {
    return `m${++this.#ids}`;
  }

  newTopic(): void {
    this.coordinator.createTopic(`t${++this.#topics}`, this.random.between(1, 6));
  }

  topicNames(): readonly string[] {
    return Array.from(this.coordinator.image.topics(), ({ name }) => name);
  }

  someTopics(): readonly string[] {
    const names = this.topicNames();
    return this.random.oneIn(3) ? names : names.filter(() => !this.random.oneIn(3));
  }

  byId(
    named: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  ): Partitions {
    return partitionsOf(named.flatMap(({ topic, partitions }) => {
      const topicId = this.coordinator.image.topic(topic)?.topicId;
      return topicId === undefined ? [] : [{ topicId, partitions }];
    }));
  }

  byName(
    partitions: Partitions,
  ): { readonly topic: string; readonly partitions: readonly number[] }[] {
    return listOf(partitions).flatMap(({ topicId, partitions }) => {
      const topic = this.coordinator.image.topicById(topicId)?.name;
      return topic === undefined ? [] : [{ topic, partitions }];
    });
  }

  /** A classic leader that gives each partition to one subscriber; who owns it keeps it. */
  classicAssignment(
    led: readonly { readonly metadata: Uint8Array }[],
    at: number,
  ): Uint8Array {
    const told = led.map(({ metadata }) => readSubscription(metadata));
    const assignedPartitions = [...this.coordinator.image.topics()].map(({ name, partitions }) => {
      const takers = told.flatMap((one, place) => one?.topics.includes(name) ? [place] : []);
      const ownerOf = (id: number): number =>
        takers.find((place) =>
          told[place]?.ownedPartitions.some((owned) =>
            owned.topic === name && owned.partitions.includes(id)
          )
        ) ?? takers[id % takers.length] ?? -1;
      const ids = partitions.map(({ partitionId }) => partitionId);
      return { topic: name, partitions: ids.filter((id) => ownerOf(id) === at) };
    });
    return writeAssignment({
      assignedPartitions: assignedPartitions.filter(({ partitions }) => partitions.length > 0),
    });
  }

  /** No partition is with two of those whom the coordinator knows as they know themselves. */
  check(): void {
    const { members = [] } = this.coordinator.ask(describeConsumerGroup());
    const holders = new Map<string, string>();
    for (const { memberId, memberEpoch, assignment } of members) {
      const assigned = partitionsOf(assignment.topicPartitions);
      const client = this.members.find((one) => one.memberId === memberId && one.isIn);
      // What a live member still has may be more than it is assigned: it has not given it back yet.
      const owned = client?.epoch === memberEpoch ? client.owned : assigned;
      for (const partitions of [assigned, difference(owned, assigned)]) {
        for (const [topicId, ids] of partitions) {
          if (this.coordinator.image.topicById(topicId) === undefined) continue;
          for (const id of ids) {
            const place = `${topicId}:${id}`;
            expect(`${place} ${holders.get(place)}`).toBe(`${place} undefined`);
            holders.set(place, memberId);
          }
        }
      }
    }
  }

  step(): void {
    const action = ACTIONS[this.random.below(ACTIONS.length + HEARTBEATS)];
    if (action !== undefined) return action(this);
    if (this.random.oneIn(3)) this.someClassic()?.act();
    else this.someMember()?.act();
  }

  someMember(): Member | undefined {
    return this.members[this.random.below(this.members.length || 1)];
  }

  someClassic(): ClassicMember | undefined {
    return this.classics[this.random.below(this.classics.length || 1)];
  }

  /** Everybody acts in turn, until all is settled; how many rounds it took. */
  settle(): number {
    const { coordinator } = this;
    coordinator.isFull = false;
    for (let round = 1; round <= ROUNDS_MAX; round++) {
      coordinator.advance(11_000);
      for (const member of this.members) member.act();
      for (let turn = 0; turn < 3; turn++) {
        for (const classic of this.classics) classic.act();
        for (const classic of this.classics) classic.listen();
      }
      this.check();
      if (this.isSettled()) return round;
    }
    return ROUNDS_MAX + 1;
  }

  isSettled(): boolean {
    const { coordinator } = this;
    if (this.members.length === 0 && this.classics.length === 0) return true;
    if (this.members.some(({ isIn }) => !isIn)) return false;
    if (this.classics.some(({ phase }) => phase !== "live")) return false;
    const { groupState, errorCode } = coordinator.ask(describeConsumerGroup());
    if (errorCode === ErrorCode.None) return groupState === "Stable";
    return coordinator.ask(describeGroup()).groupState === "Stable";
  }

  /** Every partition of a subscribed topic has an owner, who owns it by its own account. */
  checkAllOwned(): void {
    const { image } = this.coordinator;
    const owned = [...this.members, ...this.classics].map((one) => one.owned);
    for (const { name, topicId, partitions } of image.topics()) {
      const isSubscribed = this.members.some(({ topics, regex }) =>
        topics.includes(name) || regex === EVERY_TOPIC
      ) || this.classics.some(({ topics }) => topics.includes(name));
      for (const { partitionId } of partitions) {
        const asked = new Map([[topicId as Uuid, [partitionId]]]);
        const owners = owned.filter((one) => intersection(one, asked).size > 0).length;
        expect(`${name}-${partitionId}: ${owners}`).toBe(
          `${name}-${partitionId}: ${isSubscribed ? 1 : 0}`,
        );
      }
    }
  }
}

/** Of so many steps more, each is a heartbeat. */
const HEARTBEATS = 10;

const ACTIONS: readonly ((world: World) => void)[] = [
  (world) => {
    if (world.members.length >= 6) return;
    const instanceId = world.random.oneIn(3) ? `i${world.newMemberId()}` : null;
    world.members.push(new Member(world, world.newMemberId(), instanceId));
  },
  (world) => {
    if (world.classics.length < 3) world.classics.push(new ClassicMember(world));
  },
  (world) => {
    const member = world.someMember();
    const isToComeBack = member?.instanceId !== null && world.random.oneIn(2);
    if (world.random.oneIn(2)) member?.go(isToComeBack ? -2 : -1);
  },
  (world) => {
    if (world.random.oneIn(2)) world.someClassic()?.leave();
  },
  (world) => {
    const member = world.someMember();
    if (member !== undefined) member.topics = world.someTopics();
  },
  (world) => {
    const member = world.someMember();
    if (member !== undefined) member.regex = world.random.oneIn(2) ? EVERY_TOPIC : "";
  },
  (world) => {
    if (world.random.oneIn(2)) world.newTopic();
  },
  (world) => {
    const names = world.topicNames();
    const name = names[world.random.below(names.length)];
    if (name === undefined || names.length < 3) return;
    if (world.random.oneIn(2)) world.coordinator.deleteTopic(name);
    else world.coordinator.addPartitions(name, world.random.between(1, 8));
  },
  (world) => world.coordinator.advance(world.random.between(1, 20_000)),
  (world) => {
    world.coordinator.isFull = world.random.oneIn(4);
  },
  (world) => {
    world.coordinator.restart();
    for (const one of world.classics) one.reconnect();
  },
  (world) => world.someMember()?.act(true),
];
