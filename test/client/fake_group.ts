/**
 * One group of a scripted coordinator: true to Kafka as far as a member can tell, without a log.
 *
 * Both protocols in one class, since a group of the tests speaks one of them: a barrier of joins and a
 * barrier of syncs for the classic one; epochs, and partitions that are free before they are given away,
 * for the other. Long because a test reads best against one picture of the coordinator.
 */
import type { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { joinGroup } from "../../src/api/join_group.ts";
import type { RequestOf, ResponseInput } from "../../src/api/schema.ts";
import type { syncGroup } from "../../src/api/sync_group.ts";
import type { Uuid } from "../../src/ground/uuid.ts";
import type { FakeCluster } from "./fake_cluster.ts";

type JoinAnswer = ResponseInput<typeof joinGroup>;
type SyncAnswer = ResponseInput<typeof syncGroup>;
type HeartbeatBody = RequestOf<typeof consumerGroupHeartbeat>;
type HeartbeatAnswer = ResponseInput<typeof consumerGroupHeartbeat>;

interface ClassicMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  body: RequestOf<typeof joinGroup>;
  joined?: ((answer: JoinAnswer) => void) | undefined;
  synced?: ((answer: SyncAnswer) => void) | undefined;
  assignment: Uint8Array;
  heardAtMs: number;
}

interface ConsumerMember {
  readonly memberId: string;
  epoch: number;
  topics: readonly string[];
  /** What it has been told to have, and what it was told to give back and has not confirmed. */
  assigned: Set<string>;
  revoking: Set<string>;
  target: Set<string>;
  sent: string;
}

const NOTHING = new Uint8Array(0);
const INTERVAL_MS = 1000;

export class FakeGroup {
  state: "empty" | "preparing" | "completing" | "stable" = "empty";
  generationId = 0;
  groupEpoch = 0;
  readonly classic = new Map<string, ClassicMember>();
  readonly consumers = new Map<string, ConsumerMember>();
  /** "topic partition" to offset. */
  readonly offsets = new Map<string, number>();
  /** By the same keys: of the committed offsets. */
  readonly leaderEpochs = new Map<string, number>();
  /** How often the group was divided anew. */
  rebalanceCount = 0;
  readonly #cluster: FakeCluster;
  readonly #pendingIds = new Set<string>();
  #nextId = 1;
  #round = 0;

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  /** As if its session had timed out. */
  expel(memberId: string): void {
    this.classic.delete(memberId);
    if (this.consumers.delete(memberId)) this.#divide();
    else this.#prepare();
  }

  join(body: RequestOf<typeof joinGroup>): Promise<JoinAnswer> {
    const refuse = (errorCode: number, memberId = ""): Promise<JoinAnswer> =>
      Promise.resolve({ errorCode, protocolName: "", leader: "", memberId, members: [] });
    let { memberId } = body;
    const { groupInstanceId } = body;
    if (memberId === "" && groupInstanceId === null) {
      const given = `member-${this.#nextId++}`;
      this.#pendingIds.add(given);
      return refuse(ErrorCode.MemberIdRequired, given);
    }
    if (groupInstanceId !== null) {
      const own = [...this.classic.values()].find((each) =>
        each.groupInstanceId === groupInstanceId
      );
      if (memberId !== "" && own !== undefined && own.memberId !== memberId) {
        return refuse(ErrorCode.FencedInstanceId);
      }
      if (memberId === "") {
        if (own !== undefined) this.classic.delete(own.memberId);
        memberId = `${groupInstanceId}-${this.#nextId++}`;
        this.#pendingIds.add(memberId);
      }
    }
    if (!this.classic.has(memberId) && !this.#pendingIds.delete(memberId)) {
      return refuse(ErrorCode.UnknownMemberId);
    }
    return new Promise((joined) => {
      const heardAtMs = this.#cluster.clock.monotonicMs();
      this.classic.set(memberId, {
        memberId,
        groupInstanceId,
        body,
        joined,
        assignment: NOTHING,
        heardAtMs,
      });
      this.#watch(memberId);
      this.#prepare();
    });
  }

  sync(body: RequestOf<typeof syncGroup>): Promise<SyncAnswer> {
    const errorCode = this.#check(body);
    if (errorCode !== 0) return Promise.resolve({ errorCode, assignment: NOTHING });
    const member = this.classic.get(body.memberId) as ClassicMember;
    if (this.state === "preparing") {
      return Promise.resolve({ errorCode: ErrorCode.RebalanceInProgress, assignment: NOTHING });
    }
    if (this.state === "stable") {
      return Promise.resolve({ errorCode: 0, assignment: member.assignment });
    }
    return new Promise((synced) => {
      member.synced = synced;
      if (body.memberId !== this.#leader()) return;
      for (const { memberId, assignment } of body.assignments) {
        const receiver = this.classic.get(memberId);
        if (receiver !== undefined) receiver.assignment = assignment.slice();
      }
      this.state = "stable";
      for (const each of this.classic.values()) {
        each.synced?.({ errorCode: 0, assignment: each.assignment });
        each.synced = undefined;
      }
    });
  }

  heartbeat(body: Identity): number {
    const errorCode = this.#check(body);
    if (errorCode !== 0) return errorCode;
    return this.state === "preparing" ? ErrorCode.RebalanceInProgress : 0;
  }

  leave(memberId: string): number {
    if (!this.classic.delete(memberId)) return ErrorCode.UnknownMemberId;
    this.#prepare();
    return 0;
  }

  /** Whether a commit of this member is taken. */
  checkCommit(memberId: string, generationIdOrMemberEpoch: number): number {
    const consumer = this.consumers.get(memberId);
    if (consumer !== undefined) {
      return consumer.epoch === generationIdOrMemberEpoch ? 0 : ErrorCode.StaleMemberEpoch;
    }
    if (generationIdOrMemberEpoch < 0) {
      const isEmpty = this.classic.size === 0 && this.consumers.size === 0;
      return isEmpty ? 0 : ErrorCode.UnknownMemberId;
    }
    const errorCode = this.#check({ memberId, generationId: generationIdOrMemberEpoch });
    if (errorCode !== 0) return errorCode;
    return this.state === "completing" ? ErrorCode.RebalanceInProgress : 0;
  }

  consumerHeartbeat(body: HeartbeatBody): HeartbeatAnswer {
    const { memberId, memberEpoch } = body;
    if (memberEpoch < 0) {
      if (this.consumers.delete(memberId)) this.#divide();
      return { errorCode: 0, memberId, memberEpoch };
    }
    let member = this.consumers.get(memberId);
    if (memberEpoch === 0) {
      member = {
        memberId,
        epoch: 0,
        topics: body.subscribedTopicNames ?? [],
        assigned: new Set(),
        revoking: new Set(),
        target: new Set(),
        sent: "",
      };
      this.consumers.set(memberId, member);
      this.#divide();
    }
    if (member === undefined) return { errorCode: ErrorCode.UnknownMemberId };
    if (memberEpoch > 0 && memberEpoch !== member.epoch) {
      return { errorCode: ErrorCode.FencedMemberEpoch };
    }
    const owned = body.topicPartitions?.flatMap(({ topicId, partitions }) => {
      const topic = this.#cluster.topicById(topicId)?.name ?? "";
      return partitions.map((partition) => `${topic} ${partition}`);
    });
    this.#reconcile(member, owned);
    const text = [...member.assigned].sort().join();
    const isNews = text !== member.sent || memberEpoch === 0 || body.rebalanceTimeoutMs >= 0;
    member.sent = text;
    return {
      errorCode: 0,
      memberId,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: INTERVAL_MS,
      assignment: isNews ? { topicPartitions: this.#byId(member.assigned) } : null,
    };
  }

  #reconcile(member: ConsumerMember, owned: readonly string[] | undefined): void {
    const { revoking } = member;
    if (owned !== undefined) {
      for (const key of revoking) if (!owned.includes(key)) revoking.delete(key);
    }
    for (const key of member.assigned) {
      if (member.target.has(key)) continue;
      member.assigned.delete(key);
      revoking.add(key);
    }
    if (revoking.size > 0) return;
    member.epoch = this.groupEpoch;
    for (const key of member.target) {
      const isFree = [...this.consumers.values()].every((other) =>
        other === member || (!other.assigned.has(key) && !other.revoking.has(key))
      );
      if (isFree) member.assigned.add(key);
    }
  }

  /** Everybody keeps what fits into his share; the rest goes round. */
  #divide(): void {
    this.groupEpoch++;
    this.rebalanceCount++;
    const members = [...this.consumers.values()];
    const topics = [...new Set(members.flatMap(({ topics }) => topics))].sort();
    const all = topics.flatMap((topic) => {
      const partitions = this.#cluster.topics.get(topic)?.partitions ?? [];
      return partitions.map((_, index) => `${topic} ${index}`);
    });
    const share = Math.ceil(all.length / Math.max(members.length, 1));
    for (const member of members) {
      member.target = new Set(
        [...member.target].filter((key) => all.includes(key)).slice(0, share),
      );
    }
    const taken = new Set(members.flatMap(({ target }) => [...target]));
    for (const key of all) {
      if (taken.has(key)) continue;
      members.toSorted((a, b) => a.target.size - b.target.size)[0]?.target.add(key);
    }
  }

  #byId(keys: ReadonlySet<string>): { topicId: Uuid; partitions: number[] }[] {
    const topics = new Map<string, number[]>();
    for (const key of keys) {
      const [topic, partition] = key.split(" ") as [string, string];
      topics.set(topic, [...topics.get(topic) ?? [], Number(partition)]);
    }
    return [...topics].flatMap(([topic, partitions]) => {
      const topicId = this.#cluster.topics.get(topic)?.topicId;
      return topicId === undefined ? [] : [{ topicId, partitions }];
    });
  }

  #check({ memberId, generationId, groupInstanceId = null }: Identity): number {
    const member = this.classic.get(memberId);
    if (groupInstanceId !== null && member === undefined) {
      const isTaken = [...this.classic.values()].some((each) =>
        each.groupInstanceId === groupInstanceId
      );
      if (isTaken) return ErrorCode.FencedInstanceId;
    }
    if (member === undefined) return ErrorCode.UnknownMemberId;
    if (generationId !== this.generationId) return ErrorCode.IllegalGeneration;
    member.heardAtMs = this.#cluster.clock.monotonicMs();
    return 0;
  }

  #leader(): string {
    return this.classic.keys().next().value ?? "";
  }

  #prepare(): void {
    if (this.classic.size === 0) {
      this.state = "empty";
      this.generationId++;
      return;
    }
    if (this.state !== "preparing") {
      for (const member of this.classic.values()) {
        member.synced?.({ errorCode: ErrorCode.RebalanceInProgress, assignment: NOTHING });
        member.synced = undefined;
      }
      this.state = "preparing";
      const round = ++this.#round;
      const timeoutMs = Math.max(
        ...[...this.classic.values()].map(({ body }) => body.rebalanceTimeoutMs),
      );
      this.#cluster.clock.after(timeoutMs, () => {
        if (round === this.#round && this.state === "preparing") this.#complete(true);
      });
    }
    this.#complete(false);
  }

  #complete(isOverdue: boolean): void {
    for (const [memberId, { joined }] of this.classic) {
      if (joined !== undefined) continue;
      if (!isOverdue) return;
      this.classic.delete(memberId);
    }
    this.generationId++;
    this.rebalanceCount++;
    this.state = this.classic.size === 0 ? "empty" : "completing";
    const members = [...this.classic.values()];
    const names = members[0]?.body.protocols.map(({ name }) => name) ?? [];
    const protocolName =
      names.find((name) =>
        members.every(({ body }) => body.protocols.some((protocol) => protocol.name === name))
      ) ?? "";
    const told = members.map(({ memberId, groupInstanceId, body }) => ({
      memberId,
      groupInstanceId,
      metadata: body.protocols.find(({ name }) => name === protocolName)?.metadata ?? NOTHING,
    }));
    for (const member of members) {
      const { memberId } = member;
      const leader = this.#leader();
      member.heardAtMs = this.#cluster.clock.monotonicMs();
      member.joined?.({
        errorCode: 0,
        generationId: this.generationId,
        protocolType: "consumer",
        protocolName,
        leader,
        memberId,
        members: memberId === leader ? told : [],
      });
      member.joined = undefined;
    }
  }

  /** Takes a member out that is silent for the length of its session. */
  #watch(memberId: string): void {
    const member = this.classic.get(memberId);
    if (member === undefined) return;
    const { clock } = this.#cluster;
    const { sessionTimeoutMs } = member.body;
    const isWaiting = member.joined !== undefined || member.synced !== undefined;
    if (isWaiting) member.heardAtMs = clock.monotonicMs();
    const leftMs = member.heardAtMs + sessionTimeoutMs - clock.monotonicMs();
    if (leftMs <= 0) this.expel(memberId);
    else clock.after(leftMs, () => this.#watch(memberId));
  }
}

interface Identity {
  readonly memberId: string;
  readonly generationId: number;
  readonly groupInstanceId?: string | null;
}
