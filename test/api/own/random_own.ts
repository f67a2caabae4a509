/** Random bodies of mq's own APIs, as their readers would give them. */
import { ownApis } from "../../../src/api/own/registry.ts";
import type { RaftMessage } from "../../../src/api/own/raft_messages.ts";
import { type Offset, toOffset } from "../../../src/ground/numbers.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import { type Uuid, uuidFromBytes } from "../../../src/ground/uuid.ts";

type Make = (prng: Prng) => unknown;

const TERM_MAX = 1000;

export function randomUuid(prng: Prng): Uuid {
  return uuidFromBytes(randomBytes(prng, 16));
}

export function randomBytes(prng: Prng, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => prng.below(256));
}

function randomOffset(prng: Prng): Offset {
  return toOffset(prng.oneIn(8) ? Number.MAX_SAFE_INTEGER : prng.below(1 << 30));
}

function maybe<T extends object>(prng: Prng, make: () => T): T | Record<string, never> {
  return prng.oneIn(2) ? make() : {};
}

function listOf<T>(prng: Prng, make: () => T): T[] {
  return Array.from({ length: prng.below(5) }, make);
}

function leader(prng: Prng): { leaderId?: number } {
  return maybe(prng, () => ({ leaderId: prng.below(9) }));
}

const TEXTS = ["", "a", "größe", "CONTROLLER", "x".repeat(255)];

function randomText(prng: Prng): string {
  return TEXTS[prng.below(TEXTS.length)] as string;
}

function voter(prng: Prng): { id: number; directoryId: Uuid; host: string; port: number } {
  return {
    id: prng.below(99),
    directoryId: randomUuid(prng),
    host: randomText(prng),
    port: prng.below(65536),
  };
}

export function randomRaftMessage(prng: Prng): RaftMessage {
  const term = prng.below(TERM_MAX);
  const lastTerm = prng.below(term + 1);
  const readSequence = prng.below(1 << 30);
  switch (prng.below(8)) {
    case 0:
      return { kind: "PreVoteRequest", term, lastTerm, lastOffset: randomOffset(prng) };
    case 1:
      return { kind: "PreVoteReply", term, isGranted: prng.oneIn(2) };
    case 2: {
      const isTransfer = prng.oneIn(2);
      return { kind: "VoteRequest", term, lastTerm, lastOffset: randomOffset(prng), isTransfer };
    }
    case 3:
      return { kind: "VoteReply", term, isGranted: prng.oneIn(2) };
    case 4:
      return {
        kind: "AppendRequest",
        term,
        prevOffset: randomOffset(prng),
        prevTerm: lastTerm,
        commitOffset: randomOffset(prng),
        readSequence,
        records: randomBytes(prng, prng.oneIn(2) ? 0 : prng.below(200)),
      };
    case 5: {
      const hint = maybe(prng, () => ({ hint: { term: lastTerm, offset: randomOffset(prng) } }));
      const reply = { matchOffset: randomOffset(prng), readSequence, isAccepted: prng.oneIn(2) };
      return { kind: "AppendReply", term, ...reply, ...hint };
    }
    case 6: {
      const configuration = {
        voters: listOf(prng, () => voter(prng)),
        learners: listOf(prng, () => voter(prng)),
        ...maybe(prng, () => ({ outgoing: listOf(prng, () => voter(prng)) })),
      };
      const snapshot = { offset: randomOffset(prng), term: lastTerm };
      return { kind: "SnapshotOffer", term, snapshot, configuration, readSequence };
    }
    default:
      return { kind: "TimeoutNow", term };
  }
}

const requests: Readonly<Record<string, Make>> = {
  Hello: (prng) => ({
    clusterId: randomText(prng),
    nodeId: prng.below(9),
    directoryId: randomUuid(prng),
    release: randomText(prng),
    roles: listOf(prng, () => randomText(prng)),
    ...maybe(prng, () => ({
      expected: { nodeId: prng.below(9), directoryId: randomUuid(prng) },
    })),
    ...maybe(prng, () => ({
      features: listOf(prng, () => ({ name: randomText(prng), minVersion: 1, maxVersion: 3 })),
    })),
    ...maybe(prng, () => ({ address: { host: randomText(prng), port: 1 + prng.below(65535) } })),
  }),
  RaftMessages: (prng) => ({ messages: listOf(prng, () => randomRaftMessage(prng)) }),
  MetadataFetch: (prng) => ({
    offset: randomOffset(prng),
    lastTerm: prng.below(9),
    bytesMax: 1 + prng.below(1 << 20),
    waitMs: prng.below(9),
    nodeId: prng.below(9),
    incarnationId: randomUuid(prng),
  }),
  SnapshotFetch: (prng) => ({
    snapshot: { offset: randomOffset(prng), term: prng.below(9) },
    position: prng.below(1 << 30),
    bytesMax: 1 + prng.below(1 << 20),
  }),
  RegisterBroker: (prng) => ({
    brokerId: prng.below(9),
    incarnationId: randomUuid(prng),
    clusterId: randomText(prng),
    listeners: listOf(prng, () => ({
      name: randomText(prng),
      host: randomText(prng),
      port: 1 + prng.below(65535),
    })),
    rack: prng.oneIn(2) ? null : randomText(prng),
    features: listOf(prng, () => ({
      name: randomText(prng),
      minVersion: prng.below(3),
      maxVersion: 3 + prng.below(3),
    })),
    directoryIds: listOf(prng, () => randomUuid(prng)),
    previousBrokerEpoch: prng.below(9) - 1,
    isClean: prng.oneIn(2),
  }),
  BrokerHeartbeat: (prng) => ({
    brokerId: prng.below(9),
    brokerEpoch: randomOffset(prng),
    metadataOffset: randomOffset(prng),
    wantFence: prng.oneIn(2),
    wantShutDown: prng.oneIn(2),
  }),
  Forward: (prng) => ({
    frame: randomBytes(prng, prng.below(300)),
    clientId: prng.oneIn(2) ? null : randomText(prng),
  }),
  AllocateProducerIds: (prng) => ({ brokerId: prng.below(9), brokerEpoch: randomOffset(prng) }),
  AlterPartition: (prng) => ({
    brokerId: prng.below(9),
    brokerEpoch: randomOffset(prng),
    partitions: listOf(prng, () => ({
      topicId: randomUuid(prng),
      partitionId: prng.below(9),
      leaderEpoch: prng.below(9),
      partitionEpoch: prng.below(9),
      isr: listOf(prng, () => ({ brokerId: prng.below(9), brokerEpoch: prng.below(9) - 1 })),
    })),
  }),
  UnreadOffsets: (prng) => ({
    places: listOf(prng, () => ({
      topicId: randomUuid(prng),
      partitionId: prng.below(9),
      offset: randomOffset(prng),
    })),
  }),
};

const responses: Readonly<Record<string, Make>> = {
  Hello: (prng) => ({
    errorCode: prng.below(9) - 1,
    errorMessage: prng.oneIn(2) ? null : randomText(prng),
    nodeId: prng.below(9),
    directoryId: randomUuid(prng),
    clusterId: randomText(prng),
    term: prng.below(9),
    ...leader(prng),
  }),
  MetadataFetch: (prng) => ({
    errorCode: prng.below(9),
    term: prng.below(9),
    commitOffset: randomOffset(prng),
    ...leader(prng),
    ...maybe(prng, () => ({ records: randomBytes(prng, prng.below(300)) })),
    ...maybe(prng, () => ({ snapshot: { offset: randomOffset(prng), term: prng.below(9) } })),
  }),
  SnapshotFetch: (prng) => ({
    errorCode: prng.below(9),
    bytes: randomBytes(prng, prng.below(300)),
    totalBytes: prng.below(1 << 30),
    crc32c: prng.u32(),
  }),
  RegisterBroker: (prng) => ({
    errorCode: prng.below(9),
    errorMessage: prng.oneIn(2) ? null : randomText(prng),
    brokerEpoch: prng.below(9) - 1,
    ...leader(prng),
  }),
  BrokerHeartbeat: (prng) => ({
    errorCode: prng.below(9),
    isCaughtUp: prng.oneIn(2),
    isFenced: prng.oneIn(2),
    shouldShutDown: prng.oneIn(2),
    ...leader(prng),
  }),
  Forward: (prng) => ({
    errorCode: prng.below(9),
    frame: randomBytes(prng, prng.below(300)),
    metadataOffset: randomOffset(prng),
    ...leader(prng),
  }),
  AllocateProducerIds: (prng) => ({
    errorCode: prng.below(9),
    firstProducerId: prng.below(9) - 1,
    count: prng.below(9),
    ...leader(prng),
  }),
  AlterPartition: (prng) => ({
    errorCode: prng.below(9),
    partitions: listOf(prng, () => ({
      topicId: randomUuid(prng),
      partitionId: prng.below(9),
      errorCode: prng.below(9),
      leader: prng.below(9) - 1,
      leaderEpoch: prng.below(9) - 1,
      isr: listOf(prng, () => prng.below(9)),
      partitionEpoch: prng.below(9) - 1,
    })),
    ...leader(prng),
  }),
  UnreadOffsets: (prng) => ({
    errorCode: prng.below(9),
    ends: listOf(prng, () => ({
      highWatermark: prng.below(9) - 1,
      writtenMs: prng.oneIn(2) ? -1 : randomOffset(prng),
    })),
  }),
};

export function randomRequest(prng: Prng, name: string): unknown {
  return requests[name]?.(prng);
}

/** Undefined for an API without an answer. */
export function randomResponse(prng: Prng, name: string): unknown {
  return responses[name]?.(prng);
}

export const OWN_NAMES: readonly string[] = ownApis.map(({ name }) => name);
