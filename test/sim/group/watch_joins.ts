/**
 * Looks at what members of classic groups are told when they join, and at what a shard forgets by itself,
 * without a change of production code.
 *
 *     GroupShard      decide     who comes in, and who leads them
 *     GroupShard      wake       which offsets go for their age
 */
import type { Ms } from "../../../src/ground/numbers.ts";
import type { Decision } from "../../../src/group/decision.ts";
import type { GroupRequest, GroupResponses } from "../../../src/group/group_request.ts";
import { GroupShard } from "../../../src/group/group_shard.ts";
import type { Token } from "../../../src/group/turn.ts";
import { replace } from "../replace.ts";

export interface JoinWatch {
  /** Whether the program whose event this is has a life, and is to be believed. */
  readonly isTrusted: () => boolean;
  readonly onBroken: (what: string, message: string) => void;
  /** Whether members ask for the topic, and it is there. */
  readonly isRead: (topic: string) => boolean;
}

type Join = Extract<GroupRequest, { readonly kind: "JoinGroup" }>;
type Joined = GroupResponses["JoinGroup"];
/** From this version on (KIP-394). */
const ID_REQUIRED_VERSION = 4;

/** Of one generation of a group, as far as one shard has told of it. */
interface Generation {
  readonly id: number;
  readonly leader: string;
  readonly joined: Set<string>;
  /** Whom the leader was told of; undefined before it is. */
  known: ReadonlySet<string> | undefined;
}

class JoinsOfShard {
  readonly asked = new Map<number, Join>();
  readonly #watch: JoinWatch;
  readonly #generations = new Map<string, Generation>();
  /** By member: what it has said of itself last, by protocol. */
  readonly #metadata = new Map<string, ReadonlyMap<string, string>>();

  constructor(watch: JoinWatch) {
    this.#watch = watch;
  }

  /** The leader may be answered before those that it is told of. */
  judge(decision: Decision): Decision {
    for (const { kind, key, value } of decision.records) {
      // The next group of its name counts anew.
      if (kind === "GroupMetadata" && value === null) this.#generations.delete(key.group);
    }
    const joined: [Join, Joined][] = [];
    for (const { token, response } of decision.replies) {
      const request = this.asked.get(token.id);
      this.asked.delete(token.id);
      const told = response as Joined;
      if (request !== undefined && told.errorCode === 0) joined.push([request, told]);
    }
    for (const [{ body: { protocols } }, { memberId }] of joined) {
      this.#metadata.set(
        memberId,
        new Map(protocols.map(({ name, metadata }) => [name, String(metadata)])),
      );
    }
    for (const [request, told] of joined) this.#joined(request, told);
    return decision;
  }

  #joined(
    { body: { groupId, groupInstanceId, memberId: asked }, caller }: Join,
    told: Joined,
  ): void {
    const { memberId, members, leader } = told;
    if (asked === "" && groupInstanceId === null && caller.apiVersion >= ID_REQUIRED_VERSION) {
      this.#broken("a new member comes with the id it was given", `${groupId}: ${memberId}`);
    }
    // One that takes a static name over belongs to a generation that began without its id.
    const isOfConsumerGroup = leader === "" || leader === memberId && members.length === 0;
    if (groupInstanceId === null && !isOfConsumerGroup) this.#lead(groupId, told);
  }

  #lead(
    groupId: string,
    { memberId, generationId = -1, leader, members, protocolName }: Joined,
  ): void {
    const what = `${groupId} ${generationId}`;
    let generation = this.#generations.get(groupId);
    if (generation?.id !== generationId) {
      generation = { id: generationId, leader, joined: new Set(), known: undefined };
      this.#generations.set(groupId, generation);
    }
    generation.joined.add(memberId);
    if (leader !== generation.leader || members.length > 0 && leader !== memberId) {
      const leaders = `${generation.leader}, and ${memberId} is told of ${leader}`;
      this.#broken("a generation has one leader", `${what}: ${leaders}`);
    }
    if (members.length > 0) generation.known = new Set(members.map((one) => one.memberId));
    const { known } = generation;
    const unknown = [...generation.joined].filter((one) => known?.has(one) === false);
    if (unknown.length > 0) {
      this.#broken("the leader is told of all members", `${what}: not of ${unknown}`);
    }
    for (const one of members) {
      const said = this.#metadata.get(one.memberId)?.get(protocolName ?? "");
      if (said === undefined || said === String(one.metadata)) continue;
      this.#broken("the leader is told what members say", `${what}: not so of ${one.memberId}`);
    }
  }

  #broken(what: string, message: string): void {
    if (this.#watch.isTrusted()) this.#watch.onBroken(what, message);
  }
}

/** Until the function that it gives back is called. */
export function watchJoins(watch: JoinWatch): () => void {
  const { decide, wake } = GroupShard.prototype;
  const shards = new WeakMap<GroupShard, JoinsOfShard>();
  const of = (shard: GroupShard): JoinsOfShard => {
    let joins = shards.get(shard);
    if (joins === undefined) shards.set(shard, joins = new JoinsOfShard(watch));
    return joins;
  };
  const undo = [
    replace(
      GroupShard.prototype,
      "decide",
      function (this: GroupShard, now: Ms, request: GroupRequest, token: Token<never>): Decision {
        const joins = of(this);
        if (request.kind === "JoinGroup") joins.asked.set(token.id, request);
        return joins.judge(decide.call(this, now, request, token));
      },
    ),
    replace(GroupShard.prototype, "wake", function (this: GroupShard, now: Ms): Decision {
      const decision = of(this).judge(wake.call(this, now));
      judgeForgotten(this, decision, watch);
      return decision;
    }),
  ];
  return () => {
    for (const one of undo.reverse()) one();
  };
}

/** All members of a simulation are subscribed to all topics that are read. */
function judgeForgotten(shard: GroupShard, { records }: Decision, watch: JoinWatch): void {
  for (const { kind, key, value } of records) {
    if (kind !== "OffsetCommit" || value !== null || !watch.isRead(key.topic)) continue;
    for (const { groupId, memberCount } of shard.groups()) {
      if (groupId !== key.group || memberCount === 0 || !watch.isTrusted()) continue;
      watch.onBroken(
        "an offset that members read from stays",
        `${groupId} has ${memberCount} members and forgets ${key.topic}-${key.partition}`,
      );
    }
  }
}
