/** A connection that was accepted, and what is said on it. */
import { expect } from "bun:test";
import { allocateProducerIds } from "../../../src/api/own/allocate_producer_ids.ts";
import { hello, type HelloRequest } from "../../../src/api/own/hello.ts";
import type { OwnApi } from "../../../src/api/own/own_api.ts";
import { concat } from "../../../src/ground/concat.ts";
import {
  type PeerReply,
  type PeerServices,
  PeerSession,
} from "../../../src/runtime/peers/peer_session.ts";
import { ownRequestParts, readOwnResponse } from "../../../src/wire/own_message.ts";
import { CLUSTER, FakeNode, keyOf, World } from "./fake_node.ts";

export const HELLO: HelloRequest = {
  clusterId: CLUSTER,
  nodeId: 1,
  directoryId: keyOf(1).directoryId,
  release: "test",
  roles: ["controller"],
};

export function frame<Req, Res>(api: OwnApi<Req, Res>, request: Req): Uint8Array {
  return concat(ownRequestParts(api, 5, request)).subarray(4);
}

export interface Accepted {
  readonly world: World;
  readonly node: FakeNode;
  readonly session: PeerSession;
}

export function accepted(changes: Partial<PeerServices> = {}, takesPeers = true): Accepted {
  const world = new World();
  const node = new FakeNode(world, 2, changes);
  node.serve(allocateProducerIds, () => ({ errorCode: 0, firstProducerId: 0, count: 1 }));
  return { world, node, session: new PeerSession(node.services, "1.2.3.4:5", takesPeers) };
}

export function greeted(changes: Partial<PeerServices> = {}): Accepted {
  const setup = accepted(changes);
  expect(kindOf(setup.session.onFrame(frame(hello, HELLO)))).toBe("parts");
  return setup;
}

export function kindOf(reply: PeerReply | Promise<PeerReply>): string {
  return reply instanceof Promise ? "promise" : reply.kind;
}

export function answerOf<Req, Res>(api: OwnApi<Req, Res>, reply: PeerReply): Res | string {
  if (reply.kind !== "parts") return reply.kind;
  return readOwnResponse(api, concat(reply.parts).subarray(4));
}
