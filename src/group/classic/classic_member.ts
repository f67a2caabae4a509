/**
 * One member of a classic group: what it said of itself, its assignment, and what it waits for.
 *
 * Its metadata and its assignment are bytes that only clients understand; the coordinator carries them.
 */
import type { Ms } from "../../ground/numbers.ts";
import type { JoinGroupRequest, ResponseTo, SyncGroupRequest } from "../group_request.ts";
import type { Token } from "../turn.ts";
import type { Watched } from "./member_deadlines.ts";

export type JoinResponse = ResponseTo<JoinGroupRequest>;
export type SyncResponse = ResponseTo<SyncGroupRequest>;

/** A way of assigning that the member knows, with what it tells the leader in that way. */
export interface Protocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

export interface WaitingJoin {
  readonly token: Token<JoinResponse>;
  readonly apiVersion: number;
}

export interface ClassicMember extends Watched {
  readonly memberId: string;
  /** A static member's name, under which it may come back with another member id (KIP-345). */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  /** In the member's order of preference; no name is there twice. */
  protocols: readonly Protocol[];
  assignment: Uint8Array;
  /** It has not been part of a generation yet: no session, but a time to join in. */
  isNew: boolean;
  waitingJoin: WaitingJoin | undefined;
  waitingSync: Token<SyncResponse> | undefined;
}

/** A member id that was given out and has not come back with a JoinGroup yet (KIP-394). */
export interface PendingMember extends Watched {
  readonly memberId: string;
  readonly clientId: string;
}

export type WatchedMember = ClassicMember | PendingMember;

export const EMPTY_ASSIGNMENT: Uint8Array = new Uint8Array(0);

/** What is known of a member when it comes in. */
export type NewMember = Omit<
  ClassicMember,
  "isNew" | "waitingJoin" | "waitingSync" | "deadline" | "entryAt"
>;

export function newMember(member: NewMember): ClassicMember {
  return {
    ...member,
    isNew: false,
    waitingJoin: undefined,
    waitingSync: undefined,
    deadline: undefined,
    entryAt: undefined,
  };
}

export function newPendingMember(memberId: string, clientId: string): PendingMember {
  return { memberId, clientId, deadline: undefined, entryAt: undefined };
}

/**
 * Whether the member is known to live though it does not heartbeat: its request waits here. A new
 * member is not, since its client may be gone while its JoinGroup waits.
 *
 * Source: kafka ClassicGroupMember.hasSatisfiedHeartbeat.
 */
export function isWaiting({ isNew, waitingJoin, waitingSync }: ClassicMember): boolean {
  return !isNew && (waitingJoin !== undefined || waitingSync !== undefined);
}

/** Of protocols of one name, the first counts. Kafka counts both, and then finds none that all know. */
export function distinctProtocols(protocols: readonly Protocol[]): readonly Protocol[] {
  const names = new Set(protocols.map(({ name }) => name));
  if (names.size === protocols.length) return protocols;
  return protocols.filter(({ name }) => names.delete(name));
}

export function metadataOf(member: ClassicMember, protocolName: string): Uint8Array | undefined {
  for (const { name, metadata } of member.protocols) if (name === protocolName) return metadata;
  return undefined;
}

/** Whether the member says the same of itself as before, in the same order. */
export function hasSameProtocols(member: ClassicMember, protocols: readonly Protocol[]): boolean {
  return member.protocols.length === protocols.length &&
    member.protocols.every((protocol, index) => isSame(protocol, protocols[index] as Protocol));
}

function isSame(one: Protocol, other: Protocol): boolean {
  if (one.name !== other.name || one.metadata.length !== other.metadata.length) return false;
  for (let at = 0; at < one.metadata.length; at++) {
    if (one.metadata[at] !== other.metadata[at]) return false;
  }
  return true;
}

/** The first deadline of a member that has just come in is this far away (kafka: 5 minutes, fixed). */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000 as Ms;
