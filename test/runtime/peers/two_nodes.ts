/** Node 1, which asks, and node 2, which answers. */
import { allocateProducerIds } from "../../../src/api/own/allocate_producer_ids.ts";
import type { Message } from "../../../src/raft/message.ts";
import type { CallFault } from "../../../src/runtime/peers/call_fault.ts";
import { FakeNode, keyOf, peersOf, World } from "./fake_node.ts";

export const BLOCK = { errorCode: 0, firstProducerId: 1000, count: 1000 };

export function vote(from: number, to: number, term: number): Message {
  return { kind: "VoteReply", from: keyOf(from), to: keyOf(to), term, isGranted: true };
}

export async function twoNodes(changes = {}): Promise<
  { world: World; node: FakeNode } & ReturnType<typeof peersOf>
> {
  const world = new World();
  const node = new FakeNode(world, 2);
  node.serve(allocateProducerIds, () => BLOCK);
  await node.listen();
  return { world, node, ...peersOf(world, 1, changes) };
}

export async function faultOf(promise: Promise<unknown>): Promise<CallFault> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as CallFault;
  }
  throw new Error("It did not fail");
}
