/** The accepting side: who may say what on a connection. */
import { describe, expect, test } from "bun:test";
import { hello, type HelloRequest } from "../../../src/api/own/hello.ts";
import { ownApis } from "../../../src/api/own/registry.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import {
  isExpected,
  type PeerReply,
  PeerSession,
} from "../../../src/runtime/peers/peer_session.ts";
import { OWN_NAMES, randomRequest } from "../../api/own/random_own.ts";
import { accepted, answerOf, frame, greeted, HELLO, kindOf } from "./accepted.ts";
import { CLUSTER, keyOf } from "./fake_node.ts";

describe("PeerSession before Hello", () => {
  for (const [index, api] of ownApis.entries()) {
    if (api.key === hello.key) continue;
    test(`refuses ${api.name} and closes`, () => {
      const { session, node } = accepted();
      const request = randomRequest(new Prng(1), OWN_NAMES[index] as string);
      const reply = session.onFrame(frame(api, request));
      expect(kindOf(reply)).toBe("close");
      expect(node.refusals.countOf("not-a-peer")).toBe(1);
      expect(node.received).toHaveLength(0);
    });
  }

  test("takes no frame larger than a Hello", () => {
    const { session, node } = accepted();
    expect(kindOf(session.onFrame(new Uint8Array(20_000).fill(0x40)))).toBe("close");
    expect(node.refusals.countOf("oversized")).toBe(1);
  });

  test("refuses even Hello on a listener that takes no peers", () => {
    const { session, node } = accepted({}, false);
    expect(kindOf(session.onFrame(frame(hello, HELLO)))).toBe("close");
    expect(node.refusals.countOf("not-a-peer")).toBe(1);
  });
});

describe("PeerSession and Hello", () => {
  test("answers who it is and who leads", () => {
    const { session, node } = accepted();
    node.leader = { leaderId: 3, term: 9 };
    expect(answerOf(hello, session.onFrame(frame(hello, HELLO)) as PeerReply)).toEqual({
      errorCode: 0,
      errorMessage: null,
      nodeId: 2,
      directoryId: keyOf(2).directoryId,
      clusterId: CLUSTER,
      leaderId: 3,
      term: 9,
    });
    expect(session.peer?.nodeId).toBe(1);
  });

  test("keeps what the other one can work with, where it tells that", () => {
    const features = [{ name: "metadata.version", minVersion: 1, maxVersion: 3 }];
    const { session, node } = accepted();
    session.onFrame(frame(hello, { ...HELLO, features }));
    expect(session.peer?.features).toEqual(features);
    expect(node.greeted.at(-1)?.features).toEqual(features);
    const silent = accepted().session;
    silent.onFrame(frame(hello, HELLO));
    expect(silent.peer).toBeDefined();
    expect(silent.peer?.features).toBeUndefined();
    const wrong = accepted().session;
    wrong.onFrame(
      frame(hello, { ...HELLO, features: [{ name: "x", minVersion: 3, maxVersion: 1 }] }),
    );
    expect(wrong.peer).toBeUndefined();
  });

  const refused: readonly (readonly [string, Partial<HelloRequest>, string, number])[] = [
    [
      "another cluster",
      { clusterId: "other" },
      "other-cluster",
      ErrorCode.InconsistentClusterId,
    ],
    ["its own node id", { nodeId: 2 }, "own-identity", ErrorCode.InvalidVoterKey],
    [
      "one who expected another node",
      { expected: { nodeId: 3, directoryId: ZERO_UUID } },
      "unexpected-identity",
      ErrorCode.InvalidVoterKey,
    ],
    [
      "one who expected the disk that was here before",
      { expected: { nodeId: 2, directoryId: keyOf(8).directoryId } },
      "unexpected-identity",
      ErrorCode.InvalidVoterKey,
    ],
  ];
  for (const [what, changes, reason, errorCode] of refused) {
    test(`refuses ${what}, and hears nothing more`, () => {
      const { session, node } = accepted();
      const answer = answerOf(
        hello,
        session.onFrame(frame(hello, { ...HELLO, ...changes })) as PeerReply,
      );
      expect(typeof answer === "object" && answer?.errorCode).toBe(errorCode);
      expect(node.refusals.counts()).toEqual(new Map([[reason, 1]]) as never);
      expect([session.peer, node.greeted]).toEqual([undefined, []]);
      expect(kindOf(session.onFrame(frame(hello, HELLO)))).toBe("close");
    });
  }

  test("takes the one who expects it, with its directory id or without", () => {
    for (const directoryId of [ZERO_UUID, keyOf(2).directoryId]) {
      const { session } = accepted();
      const request = { ...HELLO, expected: { nodeId: 2, directoryId } };
      const answer = answerOf(hello, session.onFrame(frame(hello, request)) as PeerReply);
      expect(typeof answer === "object" && answer?.errorCode).toBe(0);
    }
    expect(isExpected({ nodeId: 1, directoryId: ZERO_UUID }, keyOf(2))).toBeFalse();
  });

  test("passes on where the caller takes peers itself", () => {
    const { session, node } = accepted();
    const address = { host: "node", port: 9001 };
    session.onFrame(frame(hello, { ...HELLO, address }));
    expect(node.greeted[0]?.address).toEqual(address);
  });

  test("a second Hello is a sign of life, unless it is somebody else's", () => {
    const { session, node } = greeted();
    expect(kindOf(session.onFrame(frame(hello, HELLO)))).toBe("parts");
    expect(node.greeted).toHaveLength(1);
    session.onFrame(frame(hello, { ...HELLO, nodeId: 7 }));
    expect(node.refusals.countOf("unexpected-identity")).toBe(1);
    expect(session.peer?.nodeId).toBe(1);
  });

  test("tells a refusal once a minute, with how often it happened", async () => {
    const { world, node } = accepted();
    const stranger = frame(hello, { ...HELLO, clusterId: "other" });
    for (let second = 0; second < 130; second++) {
      new PeerSession(node.services, "x").onFrame(stranger);
      await world.clock.advance(1000);
    }
    expect(world.events).toEqual(Array.from({ length: 3 }, () => "warn a peer was refused"));
    expect(node.refusals.countOf("other-cluster")).toBe(130);
  });
});
