/**
 * Which Raft messages a node does not hear, although they are sound and their sender has said Hello.
 *
 * The machine of `raft/` asks nobody whether it is a member, since a leader, or a candidate, may be one
 * by a configuration that has not come here yet (see `raft/receive.ts`). So one stranger could depose
 * any leader with a word of a later term. But whoever hears a leader need not listen to strangers: a
 * configuration that it lacks comes from that leader, and when that one falls silent they are heard.
 *
 *  1. Voter 3 was away while 1 and 2 were replaced by 4 and 5. Nobody that it knows is left.
 *  2. It hears of no leader, so 5, who leads, may tell it of a later term, and all that is new.
 *
 * And no term leaps: they grow by one with each election, and behind the last one there is no other.
 * Not here: whether somebody is who it says, for which nobody has asked for a proof yet.
 */
import { ZERO_UUID } from "../../ground/uuid.ts";
import { type Configuration, isSameReplica, type ReplicaKey } from "../../raft/configuration.ts";
import type { Message } from "../../raft/message.ts";
import { TERM_LEAP_MAX } from "../quorum/known_leader.ts";

/** What the own machine knows. */
export interface RaftSight {
  readonly term: number;
  readonly leader?: ReplicaKey | undefined;
}

export interface RaftRefusal {
  readonly reason: "unknown-voter" | "impossible-term";
  readonly detail: string;
}

/** Undefined where the message is to be heard. `configuration` is asked only where it matters. */
export function refuseRaftMessage(
  message: Message,
  { term, leader }: RaftSight,
  configuration: () => Configuration,
): RaftRefusal | undefined {
  const { from, kind } = message;
  // It would pass for any replica of that id, the one with the vote among them.
  if (from.directoryId === ZERO_UUID) return unknown(message);
  if (message.term <= term) return undefined; // of it nobody takes more than a look
  if (message.term - term > TERM_LEAP_MAX) {
    return {
      reason: "impossible-term",
      detail: `${kind} of node ${from.id} in term ${message.term}, here is term ${term}`,
    };
  }
  // Asking around spends no term, and the answer tells who was removed that it was.
  if (leader === undefined || kind === "PreVoteRequest") return undefined;
  return isMember(configuration(), from) ? undefined : unknown(message);
}

function unknown({ from, kind, term }: Message): RaftRefusal {
  const detail = `${kind} of node ${from.id} with ${from.directoryId} in term ${term}`;
  return { reason: "unknown-voter", detail };
}

function isMember({ voters, outgoing = [], learners }: Configuration, key: ReplicaKey): boolean {
  return [...voters, ...outgoing, ...learners].some((member) => isSameReplica(member, key));
}
