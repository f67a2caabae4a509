/**
 * One shard, some groups of both protocols, and their clients, through faults. What must hold is
 * checked after every step: `invariants.ts`, and in `../coordinator.ts` that the state that lives is the
 * one that the records make.
 */
import { expect } from "bun:test";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { toMs } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { Coordinator } from "../coordinator.ts";
import { commit, deleteGroup, deleteOffsets } from "../requests.ts";
import { ClassicClient } from "./classic_client.ts";
import { allPlaces, type Client, partitionOf, topicOf } from "./client.ts";
import { ConsumerClient } from "./consumer_client.ts";
import { Invariants } from "./invariants.ts";

/** Which clients a group has. */
export type Mix = "eager" | "cooperative" | "consumer" | "eager+consumer" | "cooperative+consumer";

const MIXES: readonly Mix[] = [
  "eager",
  "cooperative",
  "consumer",
  "eager+consumer",
  "cooperative+consumer",
];
/** Nobody is ever a member of it. */
export const SIMPLE = "simple";
const TOPICS = ["red", "green", "blue"];
const CLIENTS_MAX = 5;
const PARTITIONS_MAX = 8;

export class World {
  readonly coordinator: Coordinator;
  readonly random: Prng;
  readonly mixes = new Map<string, Mix>();
  clients: Client[] = [];
  /** What was done last, for whoever reads a failure. */
  readonly steps: string[] = [];
  readonly invariants: Invariants;
  #clientCount = 0;

  constructor(seed: number) {
    this.random = new Prng(seed);
    this.coordinator = new Coordinator({
      seed: this.random.u32(),
      settings: {
        groupInitialRebalanceDelayMs: this.random.oneIn(2) ? 0 : 3000,
        // Empty groups without offsets go at every check; offsets are kept longer than a run takes.
        offsetsRetentionCheckIntervalMs: 20_000,
      },
    });
    this.invariants = new Invariants(this.coordinator);
    for (const topic of TOPICS) this.coordinator.createTopic(topic, this.random.between(1, 6));
    for (let group = 0; group < 2; group++) {
      this.mixes.set(`group-${group}`, this.#pick(MIXES));
    }
  }

  /** One act, and what everybody does of it. */
  step(name: string, act: (world: World) => void): void {
    this.steps.push(`${this.coordinator.now} ${name}`);
    act(this);
    this.pollAll();
    this.check();
  }

  check(): void {
    for (const groupId of this.mixes.keys()) {
      this.invariants.check(groupId, this.clients.filter((client) => client.groupId === groupId));
    }
    this.invariants.checkOffsets(SIMPLE);
  }

  pollAll(): void {
    for (const client of this.clients) {
      const { pausedUntil } = client;
      if (pausedUntil !== undefined && pausedUntil > this.coordinator.now) continue;
      client.pausedUntil = undefined;
      client.poll();
    }
    this.clients = this.clients.filter(({ isFenced }) => !isFenced);
  }

  pass(ms: number): void {
    this.coordinator.advance(ms);
  }

  /** A clock that is set back. */
  setBack(ms: number): void {
    this.coordinator.now = toMs(this.coordinator.now - ms);
  }

  startClient(): void {
    const groupId = this.#pick([...this.mixes.keys()]);
    const mix = this.mixes.get(groupId) as Mix;
    if (this.clients.filter((client) => client.groupId === groupId).length >= CLIENTS_MAX) return;
    const name = `c${++this.#clientCount}`;
    // A static member that comes back while its old process may still run.
    const instanceId = this.random.oneIn(3) ? `instance-${this.random.below(3)}` : null;
    const isConsumer = mix === "consumer" || (mix.endsWith("consumer") && this.random.oneIn(2));
    const regex = isConsumer && instanceId === null && this.random.oneIn(4) ? "r.*|b.*" : null;
    const some = TOPICS.filter(() => !this.random.oneIn(3));
    // A static member reads what it read before: it gets its partitions back without being asked.
    const topics = regex !== null
      ? ["red", "blue"]
      : instanceId !== null || some.length === 0
      ? TOPICS
      : some;
    const options = { name, groupId, topics, instanceId };
    this.clients.push(
      isConsumer
        ? new ConsumerClient(this, { ...options, memberId: `member-${name}`, regex })
        : new ClassicClient(this, { ...options, isCooperative: mix.startsWith("cooperative") }),
    );
  }

  stopClient(isKilled: boolean): void {
    const client = this.#anyClient();
    if (client === undefined) return;
    if (!isKilled) client.leave();
    this.clients = this.clients.filter((other) => other !== client);
  }

  pauseClient(): void {
    const client = this.#anyClient();
    if (client !== undefined) {
      client.pausedUntil = toMs(this.coordinator.now + this.random.between(1000, 90_000));
    }
  }

  commit(isZombie: boolean): void {
    const client = this.#anyClient();
    if (client === undefined) return;
    // It looks at its epoch again as it was a while ago.
    if (isZombie && client.epoch > 0) {
      const { epoch } = client;
      client.epoch = epoch - 1;
      client.commit();
      client.epoch = epoch;
    } else {
      client.commit();
    }
  }

  /** Of no member: to a group of nobody, or to one that may have members, which lets it in empty only. */
  commitFromOutside(groupId: string): void {
    const place = `${this.#pick(TOPICS)}-${this.random.below(3)}`;
    // A handler does not let through what is of no topic.
    if (this.coordinator.image.topic(topicOf(place)) === undefined) return;
    const offset = this.random.below(2); // often the one that it was
    const memberCount = this.invariants.members(groupId).size;
    const { topics } = this.coordinator.ask(commit({
      groupId,
      topic: topicOf(place),
      partition: partitionOf(place),
      offset,
    }));
    if (topics[0]?.partitions[0]?.errorCode !== ErrorCode.None) return;
    expect(memberCount).toBe(0);
    this.invariants.noteCommit(groupId, place, offset);
  }

  anyGroup(): string {
    return this.#pick([...this.mixes.keys()]);
  }

  deleteSomeOffsets(): void {
    const groupId = this.#pick([SIMPLE, ...this.mixes.keys()]);
    const topic = this.#pick(TOPICS);
    const answer = this.coordinator.ask(deleteOffsets(topic, [0, 1], groupId));
    if (answer.errorCode !== ErrorCode.None) return;
    const members = this.invariants.members(groupId);
    const isRead = this.clients.some((client) =>
      client.groupId === groupId && this.invariants.isUpToDate(client, members) &&
      [...client.owned].some((place) => topicOf(place) === topic)
    );
    for (const { partitionIndex, errorCode } of answer.topics[0]?.partitions ?? []) {
      if (isRead) expect(errorCode).toBe(ErrorCode.GroupSubscribedToTopic);
      if (errorCode !== ErrorCode.None) continue;
      this.invariants.onDeleted(groupId, [`${topic}-${partitionIndex}`]);
    }
  }

  deleteSomeGroup(): void {
    const groupId = this.#pick([SIMPLE, ...this.mixes.keys()]);
    const memberCount = this.invariants.members(groupId).size;
    const { errorCode } = this.coordinator.ask(deleteGroup(groupId));
    if (errorCode !== ErrorCode.None) return;
    expect(memberCount).toBe(0);
    this.invariants.onGroupDeleted(groupId);
  }

  growTopic(): void {
    const topic = this.#pick(TOPICS);
    const count = this.coordinator.image.topic(topic)?.partitions.length ?? PARTITIONS_MAX;
    if (count < PARTITIONS_MAX) this.coordinator.addPartitions(topic, count + 1);
  }

  deleteTopic(): void {
    const topic = this.#pick(TOPICS.slice(1));
    this.coordinator.deleteTopic(topic);
    this.invariants.onTopicDeleted(topic);
  }

  restart(): void {
    this.coordinator.expectCleanedState(this.random.below(this.coordinator.log.length + 1));
    this.coordinator.restart();
    for (const groupId of this.mixes.keys()) this.invariants.onRestart(groupId);
    for (const client of this.clients) client.onDisconnect();
  }

  /** No more faults: everybody runs, once, and the log takes everything. */
  heal(): void {
    const last = new Map(
      this.clients.map((client) => [`${client.groupId} ${client.instanceId}`, client]),
    );
    this.clients = this.clients.filter((client) =>
      client.instanceId === null || last.get(`${client.groupId} ${client.instanceId}`) === client
    );
    this.coordinator.isFull = false;
    for (const client of this.clients) client.pausedUntil = undefined;
    this.pass(0);
  }

  /** For whoever reads a failure. */
  tell(): string {
    const clients = this.clients.map((client) => {
      const { name, groupId, protocol, epoch, instanceId, topics, owned, isSettled } = client;
      return `${name} ${groupId} ${protocol} epoch=${epoch} ${
        instanceId ?? "-"
      } of=${topics} has=${[
        ...owned,
      ]}${isSettled ? "" : " (not settled)"}`;
    });
    const groups = this.coordinator.shard.listGroups(this.coordinator.now, {
      statesFilter: [],
      typesFilter: [],
    });
    const states = groups.map((group) => `${group.groupId} ${group.groupType} ${group.groupState}`);
    return [...this.steps.slice(-30), ...states, ...clients].join("\n");
  }

  /** Whether every client has what it wants, and every partition that is subscribed has an owner. */
  get isStable(): boolean {
    return [...this.mixes.keys()].every((groupId) => {
      const clients = this.clients.filter((client) => client.groupId === groupId);
      if (!clients.every(({ isSettled }) => isSettled)) return false;
      const owned = clients.flatMap(({ owned }) => [...owned]);
      const wanted = new Set(
        allPlaces(this.coordinator.image, clients.flatMap(({ topics }) => topics)),
      );
      return new Set(owned).size === owned.length &&
        [...wanted].every((place) => owned.includes(place));
    });
  }

  #anyClient(): Client | undefined {
    return this.clients[this.random.below(Math.max(1, this.clients.length))];
  }

  #pick<Value>(values: readonly Value[]): Value {
    return values[this.random.below(values.length)] as Value;
  }
}
