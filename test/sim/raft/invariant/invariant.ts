/**
 * The shape of an invariant: a name, and what it looks at, at the moments that concern it.
 *
 * Every hook gives the reason why the world is wrong, or nothing. An invariant that needs a memory is
 * made anew for every run (`make`). `isObservable` ones only look at what an outsider could see (what
 * is committed, applied, answered, who leads); the others look inside the machine and its disk and find
 * the same bugs sooner. Planted bugs are tried against both kinds.
 */
import type { Message } from "../../../../src/raft/message.ts";
import type { Outgoing } from "../../../../src/raft/ready.ts";
import type { Input } from "../../../../src/raft/input.ts";
import type { SimNode } from "../sim_node.ts";
import type { Stored, StoredLog, StoredSnapshot } from "../stored_log.ts";
import type { World } from "../world.ts";

export type Verdict = string | undefined;

export interface ReadAsked {
  readonly askedAtMs: number;
  readonly askedAtEnd: number;
  readonly promisedOffset: number;
}

export interface ReadMade extends ReadAsked {
  readonly answeredOffset: number;
}

export interface Invariant {
  readonly name: string;
  readonly isObservable: boolean;
  /** After each event of a node, when everything it caused has been handed to disk and network. */
  afterStep?(node: SimNode, world: World): Verdict;
  /** After a message was taken, before its effects are. */
  afterInput?(node: SimNode, input: Input, world: World): Verdict;
  /** A message leaves the node for the network; not of AppendRequests, which promise nothing. */
  onSend?(node: SimNode, message: Outgoing | Message, world: World): Verdict;
  /** A batch is added to the log of the node (not yet durable). */
  onAppend?(node: SimNode, stored: Stored, log: StoredLog): Verdict;
  /** The log of the node is cut back. */
  onTruncate?(node: SimNode, endOffset: number, world: World): Verdict;
  /** The node takes up leadership. */
  onLead?(node: SimNode, world: World): Verdict;
  /** Batches are committed that nobody had committed before. */
  onCommit?(node: SimNode, batches: readonly Stored[], world: World): Verdict;
  /** A batch goes into the state of the node. */
  onApply?(node: SimNode, stored: Stored, world: World): Verdict;
  /** A snapshot is taken, or becomes the state of the node. */
  onSnapshot?(node: SimNode, snapshot: StoredSnapshot, world: World): Verdict;
  /** The machine names the offset from which a read may be answered. */
  onReadIndex?(node: SimNode, read: ReadAsked): Verdict;
  onRead?(node: SimNode, read: ReadMade): Verdict;
  /** The node has opened its disk. */
  onStart?(node: SimNode, world: World): Verdict;
}
