/**
 * RaftMessages (key 0x4001): what the machines of `raft/` say to each other. One way: an answer is a
 * message in the other direction, on the other node's connection, and what is lost is said again.
 *
 * A message is a short list, because ten of them go to each peer every second for as long as a cluster
 * lives:
 *
 *     [1, term, lastTerm, lastOffset]                                          PreVoteRequest
 *     [2, term, isGranted]                                                     PreVoteReply
 *     [3, term, lastTerm, lastOffset, isTransfer]                              VoteRequest
 *     [4, term, isGranted]                                                     VoteReply
 *     [5, term, prevOffset, prevTerm, commitOffset, readSequence, records?]    AppendRequest
 *     [6, term, isAccepted, matchOffset, readSequence, hintTerm?, hintOffset?] AppendReply
 *     [7, term, offset, snapshotTerm, readSequence, configuration]             SnapshotOffer
 *     [8, term]                                                                TimeoutNow
 *
 * A later version adds at the end; what is behind the known places is left alone.
 *
 * Not here, on purpose: from whom and to whom, which the connection says (Hello), so that nobody can
 * speak for another; and the descriptors of entries, which whoever receives makes from the batches
 * themselves (`runtime/peers/received_batches.ts`).
 */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import type { Uuid } from "../../ground/uuid.ts";
import { defineOwnApi } from "./own_api.ts";
import { copyOf, Fields } from "./shape.ts";
import { TERM_MAX } from "./snapshot_id.ts";

export interface RaftVoter {
  readonly id: number;
  readonly directoryId: Uuid;
  readonly host: string;
  readonly port: number;
}

export interface RaftConfiguration {
  readonly voters: readonly RaftVoter[];
  readonly outgoing?: readonly RaftVoter[];
  readonly learners: readonly RaftVoter[];
}

/** The messages of `raft/message.ts` without sender, receiver and descriptors. */
export type RaftMessage =
  | {
    readonly kind: "PreVoteRequest";
    readonly term: number;
    readonly lastTerm: number;
    readonly lastOffset: Offset;
  }
  | { readonly kind: "PreVoteReply"; readonly term: number; readonly isGranted: boolean }
  | {
    readonly kind: "VoteRequest";
    readonly term: number;
    readonly lastTerm: number;
    readonly lastOffset: Offset;
    readonly isTransfer: boolean;
  }
  | { readonly kind: "VoteReply"; readonly term: number; readonly isGranted: boolean }
  | {
    readonly kind: "AppendRequest";
    readonly term: number;
    readonly prevOffset: Offset;
    readonly prevTerm: number;
    readonly commitOffset: Offset;
    readonly readSequence: number;
    readonly records: Uint8Array;
  }
  | {
    readonly kind: "AppendReply";
    readonly term: number;
    readonly isAccepted: boolean;
    readonly matchOffset: Offset;
    readonly hint?: { readonly term: number; readonly offset: Offset };
    readonly readSequence: number;
  }
  | {
    readonly kind: "SnapshotOffer";
    readonly term: number;
    readonly snapshot: { readonly offset: Offset; readonly term: number };
    readonly configuration: RaftConfiguration;
    readonly readSequence: number;
  }
  | { readonly kind: "TimeoutNow"; readonly term: number };

export interface RaftMessagesRequest {
  readonly messages: readonly RaftMessage[];
}

const MESSAGES_MAX = 4096;
const REPLICAS_MAX = 1024;
const NO_BYTES = new Uint8Array(0);

export const raftMessages = defineOwnApi<RaftMessagesRequest, null>({
  key: 0x4001,
  name: "RaftMessages",
  version: 0,
  lane: "raft",
  isOneWay: true,
  packRequest: ({ messages }) => messages.map(packed),
  asRequest(value): RaftMessagesRequest | string {
    if (!Array.isArray(value) || value.length > MESSAGES_MAX) {
      return `RaftMessages is not a list of at most ${MESSAGES_MAX}`;
    }
    const messages: RaftMessage[] = [];
    for (const each of value) {
      const message = asRaftMessage(each);
      if (typeof message === "string") return `RaftMessages[${messages.length}]: ${message}`;
      messages.push(message);
    }
    return { messages };
  },
  asResponse: () => "RaftMessages has no answer",
});

function packed(message: RaftMessage): readonly unknown[] {
  const { term } = message;
  switch (message.kind) {
    case "PreVoteRequest":
      return [1, term, message.lastTerm, message.lastOffset];
    case "PreVoteReply":
      return [2, term, message.isGranted];
    case "VoteRequest":
      return [3, term, message.lastTerm, message.lastOffset, message.isTransfer];
    case "VoteReply":
      return [4, term, message.isGranted];
    case "AppendRequest": {
      const { prevOffset, prevTerm, commitOffset, readSequence, records } = message;
      const list: unknown[] = [5, term, prevOffset, prevTerm, commitOffset, readSequence];
      if (records.length > 0) list.push(records);
      return list;
    }
    case "AppendReply": {
      const { isAccepted, matchOffset, readSequence, hint } = message;
      const list: unknown[] = [6, term, isAccepted, matchOffset, readSequence];
      if (hint !== undefined) list.push(hint.term, hint.offset);
      return list;
    }
    case "SnapshotOffer": {
      const { snapshot, readSequence, configuration } = message;
      return [7, term, snapshot.offset, snapshot.term, readSequence, plain(configuration)];
    }
    case "TimeoutNow":
      return [8, term];
  }
}

/** Only what is to travel, whatever else the object may hold. */
function plain({ voters, outgoing, learners }: RaftConfiguration): RaftConfiguration {
  return {
    voters: voters.map(plainVoter),
    learners: learners.map(plainVoter),
    ...(outgoing === undefined ? {} : { outgoing: outgoing.map(plainVoter) }),
  };
}

function plainVoter({ id, directoryId, host, port }: RaftVoter): RaftVoter {
  return { id, directoryId, host, port };
}

/** The message in a decoded value, or why it is none. */
export function asRaftMessage(value: unknown): RaftMessage | string {
  if (!Array.isArray(value)) return "a message is not a list";
  const term = value[1];
  if (!isIn(term, 0, TERM_MAX)) return `its term is not a whole number from 0 to ${TERM_MAX}`;
  switch (value[0]) {
    case 1:
    case 3:
      return asVoteRequest(value, term);
    case 2:
    case 4:
      return typeof value[2] === "boolean"
        ? { kind: value[0] === 2 ? "PreVoteReply" : "VoteReply", term, isGranted: value[2] }
        : "a vote is neither granted nor refused";
    case 5:
      return asAppendRequest(value, term);
    case 6:
      return asAppendReply(value, term);
    case 7:
      return asSnapshotOffer(value, term);
    case 8:
      return { kind: "TimeoutNow", term };
    default:
      return "its kind is not known";
  }
}

function asVoteRequest(value: readonly unknown[], term: number): RaftMessage | string {
  const [kind, , lastTerm, lastOffset, isTransfer] = value;
  if (!isIn(lastTerm, 0, term) || !isCount(lastOffset)) return "the end of a log is none";
  const end = { term, lastTerm, lastOffset: toOffset(lastOffset) };
  if (kind === 1) return { kind: "PreVoteRequest", ...end };
  return typeof isTransfer === "boolean"
    ? { kind: "VoteRequest", ...end, isTransfer }
    : "a vote is asked for without saying whether by order of the leader";
}

function asAppendRequest(value: readonly unknown[], term: number): RaftMessage | string {
  const [, , prevOffset, prevTerm, commitOffset, readSequence, records] = value;
  if (!isCount(prevOffset) || !isIn(prevTerm, 0, term)) return "the place of its entries is none";
  if (!isCount(commitOffset)) return "its commit offset is none";
  if (!isCount(readSequence)) return "its read sequence is none";
  const hasRecords = records !== undefined && records !== null;
  if (hasRecords && !(records instanceof Uint8Array)) return "its records are not bytes";
  return {
    kind: "AppendRequest",
    term,
    prevOffset: toOffset(prevOffset),
    prevTerm,
    commitOffset: toOffset(commitOffset),
    readSequence,
    records: hasRecords ? copyOf(records) : NO_BYTES,
  };
}

function asAppendReply(value: readonly unknown[], term: number): RaftMessage | string {
  const [, , isAccepted, matchOffset, readSequence, hintTerm, hintOffset] = value;
  if (typeof isAccepted !== "boolean") return "entries are neither accepted nor refused";
  if (!isCount(matchOffset)) return "its match offset is none";
  if (!isCount(readSequence)) return "its read sequence is none";
  const reply = {
    kind: "AppendReply" as const,
    term,
    isAccepted,
    matchOffset: toOffset(matchOffset),
    readSequence,
  };
  if (hintTerm === undefined || hintTerm === null) return reply;
  if (!isIn(hintTerm, 0, term) || !isCount(hintOffset)) return "its hint is none";
  return { ...reply, hint: { term: hintTerm, offset: toOffset(hintOffset) } };
}

function asSnapshotOffer(value: readonly unknown[], term: number): RaftMessage | string {
  const [, , offset, snapshotTerm, readSequence, given] = value;
  if (!isCount(offset) || !isIn(snapshotTerm, 0, term)) return "its snapshot is none";
  if (!isCount(readSequence)) return "its read sequence is none";
  const configuration = asRaftConfiguration(given);
  if (typeof configuration === "string") return configuration;
  const snapshot = { offset: toOffset(offset), term: snapshotTerm };
  return { kind: "SnapshotOffer", term, snapshot, configuration, readSequence };
}

/** The voters in a decoded value, or why there are none. */
export function asRaftConfiguration(value: unknown): RaftConfiguration | string {
  const fields = new Fields(value, "configuration");
  const voters = fields.list("voters", REPLICAS_MAX, asVoter);
  const learners = fields.list("learners", REPLICAS_MAX, asVoter);
  const outgoing = fields.has("outgoing")
    ? { outgoing: fields.list("outgoing", REPLICAS_MAX, asVoter) }
    : {};
  return fields.failure ?? { voters, learners, ...outgoing };
}

function asVoter(value: unknown, path: string): RaftVoter | string {
  const fields = new Fields(value, path);
  const voter = {
    id: fields.id("id"),
    directoryId: fields.uuid("directoryId"),
    host: fields.text("host"),
    port: fields.int("port", 0, 0xffff),
  };
  return fields.failure ?? voter;
}

function isIn(value: unknown, low: number, high: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
