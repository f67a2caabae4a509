/** What a peer says once it is known: Raft's messages, calls, rubbish. */
import { describe, expect, test } from "bun:test";
import { allocateProducerIds } from "../../../src/api/own/allocate_producer_ids.ts";
import { brokerHeartbeat } from "../../../src/api/own/broker_heartbeat.ts";
import { hello } from "../../../src/api/own/hello.ts";
import type { AnyOwnApi } from "../../../src/api/own/own_api.ts";
import { raftMessages } from "../../../src/api/own/raft_messages.ts";
import { ownApis } from "../../../src/api/own/registry.ts";
import { concat } from "../../../src/ground/concat.ts";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import type { Message } from "../../../src/raft/message.ts";
import { PeerSession } from "../../../src/runtime/peers/peer_session.ts";
import { PeerRefusals } from "../../../src/runtime/peers/refusals.ts";
import { encodeRecords } from "../../../src/runtime/quorum/quorum_batches.ts";
import { OWN_NAMES, randomBytes, randomRequest } from "../../api/own/random_own.ts";
import { ManualClock } from "../../client/manual_clock.ts";
import { seedOf } from "../../wire/random_message.ts";
import { accepted, answerOf, frame, greeted, HELLO, kindOf } from "./accepted.ts";
import { keyOf } from "./fake_node.ts";

function append(records: Uint8Array, prevOffset = 10, term = 5): Message {
  return {
    kind: "AppendRequest",
    from: keyOf(1),
    to: keyOf(2),
    term,
    prevOffset: toOffset(prevOffset),
    prevTerm: 4,
    entries: [],
    records,
    commitOffset: toOffset(0),
    readSequence: 0,
  };
}

function batch(baseOffset: number, term: number, count = 2): Uint8Array {
  const record = { kind: "remove-topic", version: 0, topicId: ZERO_UUID } as const;
  const place = { baseOffset, term, timestamp: 1 };
  return encodeRecords(Array.from({ length: count }, () => record), place, crc32cTables);
}

describe("PeerSession and Raft's messages", () => {
  test("says from whom they are and to whom, whatever the sender had in mind", () => {
    const { session, node } = greeted();
    const message: Message = {
      kind: "VoteReply",
      from: keyOf(6),
      to: keyOf(7),
      term: 4,
      isGranted: true,
    };
    expect(session.onFrame(frame(raftMessages, { messages: [message] }))).toEqual({ kind: "none" });
    expect(node.received).toEqual([{ ...message, from: keyOf(1), to: keyOf(2) }]);
  });

  test("makes the descriptors of the entries from the batches", () => {
    const { session, node } = greeted();
    const records = concat([batch(10, 4), batch(12, 5, 1)]);
    session.onFrame(frame(raftMessages, { messages: [append(records)] }));
    const [message] = node.received;
    expect(message).toEqual({
      ...append(records),
      entries: [
        { baseOffset: 10, nextOffset: 12, term: 4, byteLength: batch(10, 4).length },
        { baseOffset: 12, nextOffset: 13, term: 5, byteLength: batch(12, 5, 1).length },
      ],
    });
  });

  test("a message with holes changes nothing, and those beside it are heard", () => {
    const { session, node } = greeted();
    const bad = append(concat([batch(10, 4), batch(13, 4)]));
    const good = append(batch(10, 4));
    expect(kindOf(session.onFrame(frame(raftMessages, { messages: [bad, good] })))).toBe("none");
    expect(node.received).toHaveLength(1);
    expect(node.refusals.countOf("holes")).toBe(1);
  });

  test("a voter that is not known is not heard where the node says so", () => {
    const { session, node } = greeted({
      refuseRaft: ({ from }) =>
        from.id === 1 ? { reason: "unknown-voter", detail: "node 1" } : undefined,
    });
    session.onFrame(frame(raftMessages, { messages: [append(batch(10, 4))] }));
    expect([node.received.length, node.refusals.countOf("unknown-voter")]).toEqual([0, 1]);
  });

  test("a term that cannot be closes the connection", () => {
    const { session, node } = greeted();
    const message = { ...append(new Uint8Array(0)), term: 0x7fff_ffff };
    expect(kindOf(session.onFrame(frame(raftMessages, { messages: [message] })))).toBe("close");
    expect([node.received.length, node.refusals.countOf("garbage")]).toEqual([0, 1]);
  });
});

describe("PeerSession and calls", () => {
  test("gives the handler request and peer, and sends its answer", async () => {
    const { session, node } = greeted();
    let asked: unknown;
    node.serve(allocateProducerIds, (request) => {
      asked = request;
      return Promise.resolve({ errorCode: 0, firstProducerId: 4000, count: 1 });
    });
    const request = { brokerId: 1, brokerEpoch: 2 };
    const reply = await session.onFrame(frame(allocateProducerIds, request));
    expect(answerOf(allocateProducerIds, reply)).toEqual({
      errorCode: 0,
      firstProducerId: 4000,
      count: 1,
    });
    expect(asked).toEqual(request);
  });

  test("refuses an API without a handler, an unknown key, another version", () => {
    const other = { ...(allocateProducerIds as AnyOwnApi) };
    for (
      const api of [{ ...other, key: 0x4002 }, { ...other, key: 0x7000 }, { ...other, version: 1 }]
    ) {
      const { session, node } = greeted();
      const request = randomRequest(new Prng(1), "MetadataFetch");
      expect(kindOf(session.onFrame(frame(api, request)))).toBe("close");
      expect(node.refusals.countOf("unknown-api")).toBe(1);
    }
  });

  test("closes the connection where a handler fails, and tells", async () => {
    for (
      const fail of [() => Promise.reject(new Error("no")), () => {
        throw new Error("no");
      }]
    ) {
      const { session, node, world } = greeted();
      node.serve(allocateProducerIds, fail);
      const reply = await session.onFrame(
        frame(allocateProducerIds, { brokerId: 1, brokerEpoch: 2 }),
      );
      expect(reply.kind).toBe("close");
      expect(world.events).toEqual(["error a request of a peer failed"]);
    }
  });

  test("tells of requests that fail once a minute, each API for itself, with their number", () => {
    const told: unknown[] = [];
    const clock = new ManualClock();
    const trace = { event: (...words: unknown[]): void => void told.push(words) };
    const { session, node } = greeted({ refusals: new PeerRefusals({ clock, trace }) });
    const fail = (): never => {
      throw new Error("no");
    };
    for (const api of [allocateProducerIds, brokerHeartbeat]) node.serve(api as AnyOwnApi, fail);
    const ask = (name: "AllocateProducerIds" | "BrokerHeartbeat", count: number): void => {
      const index = OWN_NAMES.indexOf(name);
      for (let time = 0; time < count; time++) {
        session.onFrame(frame(ownApis[index] as AnyOwnApi, randomRequest(new Prng(1), name)));
      }
    };
    ask("AllocateProducerIds", 1000);
    ask("BrokerHeartbeat", 10);
    expect(told).toHaveLength(2);
    clock.leap(59_000);
    ask("AllocateProducerIds", 1);
    expect(told).toHaveLength(2);
    clock.leap(1000);
    ask("AllocateProducerIds", 1);
    expect(told).toHaveLength(3);
    expect(told[2]).toEqual(["error", "a request of a peer failed", {
      api: "AllocateProducerIds",
      error: "no",
      times: 1001,
      nodeId: 1,
    }]);
  });

  test("takes no frame above its bound", () => {
    const { session, node } = greeted({ frameBytesMax: 1000 });
    expect(kindOf(session.onFrame(new Uint8Array(1001).fill(0x40)))).toBe("close");
    expect(node.refusals.countOf("oversized")).toBe(1);
  });

  test("rubbish of every kind closes the connection or is answered, and nothing is thrown", async () => {
    const prng = new Prng(seedOf("peer session"));
    const { node } = accepted();
    for (let round = 0; round < 10_000; round++) {
      const session = new PeerSession(node.services, "x");
      if (prng.oneIn(2)) session.onFrame(frame(hello, HELLO));
      const index = prng.below(ownApis.length);
      const api = ownApis[index] as AnyOwnApi;
      const bytes = frame(api, randomRequest(prng, OWN_NAMES[index] as string)).slice();
      for (let count = prng.below(4); count > 0; count--) {
        bytes[1 + prng.below(bytes.length - 1)] = prng.below(256);
      }
      const cut = prng.oneIn(4) ? bytes.subarray(0, prng.below(bytes.length)) : bytes;
      const reply = await session.onFrame(prng.oneIn(9) ? randomBytes(prng, 40) : cut);
      expect(["parts", "none", "close"]).toContain(reply.kind);
    }
  });
});
