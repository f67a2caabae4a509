/**
 * Planted bugs that can be had by changing a message on its way into or out of a machine.
 *
 * Each imitates a check that somebody forgot: the message is made to look as if it passed the check.
 */
import { type Offset, toOffset } from "../../../src/ground/numbers.ts";
import type { Message } from "../../../src/raft/message.ts";
import type { Outgoing } from "../../../src/raft/ready.ts";
import type { SimNode } from "./sim_node.ts";

type Incoming = (node: SimNode, message: Message) => Message;
type Leaving = (node: SimNode, message: Outgoing) => Outgoing;

export const incomingTamperings: Readonly<Record<string, Incoming>> = {
  /** (prevOffset, prevTerm) is not compared: any log that is long enough will do. */
  "no-prev-check": (node, message) => {
    if (message.kind !== "AppendRequest") return message;
    const prevTerm = node.log.termAtEnd(message.prevOffset);
    return prevTerm === undefined ? message : { ...message, prevTerm };
  },
  "accept-old-term": (node, message) =>
    message.kind === "AppendRequest" && message.term < node.term
      ? { ...message, term: node.term }
      : message,
  "reply-of-old-term": (node, message) =>
    (message.kind === "AppendReply" || message.kind === "VoteReply") && message.term < node.term
      ? { ...message, term: node.term }
      : message,
  /** The hint of a refusal is taken for a match. */
  "rejected-counts": (node, message) => {
    if (message.kind !== "AppendReply" || message.isAccepted || message.hint === undefined) {
      return message;
    }
    const { offset } = message.hint;
    return offset > node.log.endOffset
      ? message
      : { ...message, isAccepted: true, matchOffset: offset };
  },
  /** Any reply of this term confirms the newest round of reads. */
  "read-old-round": (node, message) =>
    message.kind === "AppendReply" ? { ...message, readSequence: node.readSequence } : message,
  /** The leader believes that what it has sent has arrived. */
  "match-is-sent": (node, message) =>
    message.kind === "AppendReply" && message.isAccepted && node.soft.role === "leader"
      ? { ...message, matchOffset: node.log.endOffset as Offset }
      : message,
  /** A grant in the first round is still counted in the second. */
  "pre-votes-count": (_, message) => {
    if (message.kind !== "PreVoteReply" || !message.isGranted) return message;
    const { from, to, term } = message;
    return { kind: "VoteReply", from, to, term, isGranted: true };
  },
};

export const leavingTamperings: Readonly<Record<string, Leaving>> = {
  /** A follower acknowledges its whole log, not what the request has proved to be the leader's. */
  "acknowledge-log-end": (node, message) =>
    message.kind === "AppendReply" && message.isAccepted
      ? { ...message, matchOffset: toOffset(node.disk.log.endOffset) }
      : message,
  /** A candidate calls its log longer than it is: the end of what it holds only in part. */
  "candidate-counts-uncommitted-term": (node, message) =>
    message.kind === "VoteRequest" || message.kind === "PreVoteRequest"
      ? { ...message, lastTerm: node.term }
      : message,
  /** The term of the batch before is taken from the wrong side of it. */
  "prev-term-of-next": (_, message) => {
    if (message.kind !== "AppendRequest" || message.entries.length === 0) return message;
    return { ...message, prevTerm: message.entries[0]?.term ?? message.prevTerm };
  },
};
