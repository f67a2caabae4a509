/** The frames of mq's own APIs: what is written is what is read, and rubbish is refused at its price. */
import { describe, expect, test } from "bun:test";
import { hello } from "../../src/api/own/hello.ts";
import { type AnyOwnApi, OWN_KEY_MIN } from "../../src/api/own/own_api.ts";
import { asRaftMessage, raftMessages } from "../../src/api/own/raft_messages.ts";
import { ownApiOf, ownApis } from "../../src/api/own/registry.ts";
import { TERM_MAX } from "../../src/api/own/snapshot_id.ts";
import { concat } from "../../src/ground/concat.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { Reader } from "../../src/ground/reader.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { apiOf } from "../../src/api/registry.ts";
import { readRequestHeader } from "../../src/wire/header.ts";
import { encodeMessagePack } from "../../src/wire/msgpack.ts";
import {
  isOwnRequest,
  ownRequestParts,
  ownResponseParts,
  readOwnHeader,
  readOwnRequest,
  readOwnResponse,
} from "../../src/wire/own_message.ts";
import { OWN_NAMES, randomBytes, randomRequest, randomResponse } from "../api/own/random_own.ts";
import { seedOf } from "./random_message.ts";

const ROUNDS = 200;
const MUTATIONS = 40;

/** Without the length, which the splitter takes. */
function frameOf(parts: readonly Uint8Array[]): Uint8Array {
  return concat(parts).subarray(4);
}

function requestOf(api: AnyOwnApi, body: unknown): Uint8Array {
  return frameOf(ownRequestParts(api, 7, body));
}

describe("own APIs", () => {
  test("have keys of their own, in order, that no API of Kafka has", () => {
    const keys = ownApis.map(({ key }) => key);
    expect(keys).toEqual([...new Set(keys)].sort((left, right) => left - right));
    for (const api of ownApis) {
      expect(api.key).toBeGreaterThanOrEqual(OWN_KEY_MIN);
      expect(ownApiOf(api.key)).toBe(api);
      expect(apiOf(api.key)).toBeUndefined();
    }
  });

  const seed = seedOf("own messages");
  for (const [index, api] of ownApis.entries()) {
    const name = OWN_NAMES[index] as string;
    test(`${name} comes back as it went, request and answer`, () => {
      const prng = new Prng(seed + index);
      for (let round = 0; round < ROUNDS; round++) {
        const request = randomRequest(prng, name);
        const frame = requestOf(api, request);
        expect(readOwnRequest(api, frame)).toEqual(request);
        const response = randomResponse(prng, name);
        if (response === undefined) continue;
        expect(readOwnResponse(api, frameOf(ownResponseParts(3, response)))).toEqual(response);
      }
    });

    test(`${name} under rubbish is refused or is what its schema says, and never throws`, () => {
      const prng = new Prng(seed + 100 + index);
      for (let round = 0; round < ROUNDS; round++) {
        const request = requestOf(api, randomRequest(prng, name));
        const response = frameOf(ownResponseParts(3, randomResponse(prng, name) ?? null));
        for (let count = 0; count < MUTATIONS; count++) {
          const read = readOwnRequest(api, mutated(prng, request, 10));
          if (typeof read !== "string") expect(again(api, read)).toEqual(read);
          readOwnResponse(api, mutated(prng, response, 4));
        }
      }
    });
  }

  test("an answer that is left out of a message is nil and reads as absent", () => {
    const response = {
      errorCode: 0,
      errorMessage: null,
      nodeId: 1,
      directoryId: ZERO_UUID,
      clusterId: "c",
      leaderId: undefined,
      term: 0,
    };
    const read = readOwnResponse(hello, frameOf(ownResponseParts(1, response)));
    expect(typeof read === "object" && "leaderId" in read).toBeFalse();
  });

  test("what is bytes in a message is a copy: frames are lent", () => {
    const append = {
      kind: "AppendRequest" as const,
      term: 3,
      prevOffset: toOffset(0),
      prevTerm: 0,
      commitOffset: toOffset(0),
      readSequence: 0,
      records: Uint8Array.of(1, 2, 3),
    };
    const frame = frameOf(ownRequestParts(raftMessages, 1, { messages: [append] }));
    const read = readOwnRequest(raftMessages, frame);
    frame.fill(0xee);
    expect(read).toEqual({ messages: [append] });
  });
});

/** A changed byte, a byte more, a piece less, or bytes without any sense. */
function mutated(prng: Prng, frame: Uint8Array, from: number): Uint8Array {
  if (prng.oneIn(8)) return concat([frame.subarray(0, from), randomBytes(prng, prng.below(60))]);
  if (prng.oneIn(8)) return frame.slice(0, from + prng.below(frame.length - from + 1));
  const copy = prng.oneIn(8) ? concat([frame, randomBytes(prng, 1)]) : frame.slice();
  for (let count = 1 + prng.below(3); count > 0; count--) {
    const at = from + prng.below(copy.length - from);
    copy[at] = prng.oneIn(4) ? 0xc0 + prng.below(64) : prng.below(256);
  }
  return copy;
}

/** What was taken can be said again: it has the types that it should have. */
function again(api: AnyOwnApi, request: unknown): unknown {
  return readOwnRequest(api, requestOf(api, request));
}

describe("the header of own APIs", () => {
  test("is Kafka's request header 1 without a client id", () => {
    const frame = requestOf(hello, null);
    expect(readOwnHeader(frame)).toEqual({ apiKey: 0x4000, apiVersion: 0, correlationId: 7 });
    const header = readRequestHeader(new Reader(frame));
    expect(header).toEqual({ apiKey: 0x4000, apiVersion: 0, correlationId: 7, clientId: null });
  });

  test("isOwnRequest() knows the keys from 0x4000 up, and no negative ones", () => {
    const first = [0x00, 0x3f, 0x40, 0x7f, 0x80, 0xff];
    expect(first.map((high) => isOwnRequest(Uint8Array.of(high, 0xff, 0, 0)))).toEqual(
      [false, false, true, true, false, false],
    );
    expect(isOwnRequest(new Uint8Array(0))).toBeFalse();
  });

  test("readOwnHeader() takes none that is short or names a client", () => {
    const frame = requestOf(hello, null);
    expect(readOwnHeader(frame.subarray(0, 9))).toBeUndefined();
    frame[8] = 0;
    expect(readOwnHeader(frame)).toBeUndefined();
  });

  test("a large body is a part of its own, not a copy", () => {
    const frame = new Uint8Array(100_000).fill(7);
    const parts = ownRequestParts(ownApiOf(0x4006) as AnyOwnApi, 1, { frame, clientId: null });
    expect(parts).toHaveLength(2);
    const whole = concat(parts);
    expect(new DataView(whole.buffer).getInt32(0)).toBe(whole.length - 4);
  });
});

describe("asRaftMessage()", () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["no list", { kind: 1 }],
    ["no term", [1]],
    ["a negative term", [8, -1]],
    ["an impossible term", [8, TERM_MAX + 1]],
    ["half a term", [8, 1.5]],
    ["an unknown kind", [9, 1]],
    ["a log of a later term than its own", [1, 4, 5, 100]],
    ["a log that ends before it begins", [3, 4, 3, -1, false]],
    ["no order of the leader, and no denial", [3, 4, 3, 10]],
    ["a vote that is a number", [4, 4, 1]],
    ["entries behind a later term", [5, 4, 10, 5, 0, 0]],
    ["an offset beyond safe integers", [5, 4, 2 ** 53, 4, 0, 0]],
    ["records that are text", [5, 4, 10, 4, 0, 0, "abc"]],
    ["a hint without an offset", [6, 4, false, 0, 0, 3]],
    ["an offer without voters", [7, 4, 10, 3, 0, { learners: [] }]],
    ["a voter without a directory", [7, 4, 10, 3, 0, { voters: [{ id: 1 }], learners: [] }]],
  ];
  for (const [what, value] of cases) {
    test(`refuses ${what}`, () => {
      expect(typeof asRaftMessage(value)).toBe("string");
    });
  }

  test("takes a term at its bound, and leaves alone what a later version adds", () => {
    expect(asRaftMessage([8, TERM_MAX, "more"])).toEqual({ kind: "TimeoutNow", term: TERM_MAX });
  });

  test("one bad message refuses all of its frame", () => {
    const body = encodeMessagePack([[8, 1], [9, 1]]);
    const frame = concat([requestOf(raftMessages, { messages: [] }).subarray(0, 10), body]);
    expect(readOwnRequest(raftMessages, frame)).toBe("RaftMessages[1]: its kind is not known");
  });
});
