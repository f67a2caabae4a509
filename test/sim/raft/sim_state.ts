/**
 * The state machine on top of a node's log, and the people who wait for it: proposers and readers.
 *
 * The state is a hash of everything applied, so that two states are equal exactly when the sequences
 * were.
 */
import type { Configuration } from "../../../src/raft/configuration.ts";
import type { ReadAnswer } from "../../../src/raft/ready.ts";
import { nextStateHash } from "./history.ts";
import type { ReadAsked } from "./invariant/invariant.ts";
import type { SimNode } from "./sim_node.ts";
import type { Stored, StoredLog, StoredSnapshot } from "./stored_log.ts";
import type { World } from "./world.ts";

/** What stands between a question and its answer. */
interface Reading extends ReadAsked {
  /** Undefined until the machine names it. */
  offset: number | undefined;
}

interface Proposed {
  readonly term: number;
  readonly payload: number;
}

export class SimState {
  appliedOffset = 0;
  /** The term of the batch applied last. */
  appliedTerm = 0;
  hash = 1;
  /** In force at the end of what is applied. */
  configuration: Configuration;
  readonly #node: SimNode;
  readonly #world: World;
  readonly #proposed = new Map<number, Proposed>();
  readonly #reads = new Map<number, Reading>();

  /** Empty, or what a snapshot holds. */
  constructor(node: SimNode, world: World, snapshot: StoredSnapshot | undefined) {
    this.#node = node;
    this.#world = world;
    this.configuration = world.bootstrap;
    if (snapshot !== undefined) this.#load(snapshot);
  }

  #load({ id, stateHash, configuration }: StoredSnapshot): void {
    this.appliedOffset = id.offset;
    this.appliedTerm = id.term;
    this.hash = stateHash;
    this.configuration = configuration;
  }

  /** A snapshot of another node becomes the state. */
  replace(snapshot: StoredSnapshot): void {
    this.#load(snapshot);
    this.#proposed.clear();
    this.answerReads();
  }

  proposed(baseOffset: number, term: number, payload: number): void {
    this.#proposed.set(baseOffset, { term, payload });
  }

  /** The payload of a batch that was proposed here. */
  payloadOf(baseOffset: number, term: number): number | undefined {
    const own = this.#proposed.get(baseOffset);
    return own?.term === term ? own.payload : undefined;
  }

  truncate(endOffset: number): void {
    for (const offset of this.#proposed.keys()) {
      if (offset >= endOffset) this.#proposed.delete(offset);
    }
  }

  apply(stored: Stored): void {
    const { entry, payload } = stored;
    this.#world.checkApply(this.#node, stored);
    this.hash = nextStateHash(this.hash, stored);
    this.appliedOffset = entry.nextOffset;
    this.appliedTerm = entry.term;
    if (entry.configuration !== undefined) this.configuration = entry.configuration;
    const own = this.payloadOf(entry.baseOffset, entry.term);
    this.#proposed.delete(entry.baseOffset);
    if (own === payload) this.#world.onAcknowledged(entry.nextOffset);
  }

  /** What the state would be if the log were applied up to there. */
  hashAt(upTo: number, log: StoredLog): number {
    let hash = this.hash;
    for (let at = log.indexFrom(this.appliedOffset); at < log.entries.length; at++) {
      const stored = log.entries[at] as Stored;
      if (stored.entry.nextOffset > upTo) break;
      hash = nextStateHash(hash, stored);
    }
    return hash;
  }

  ask(token: number): void {
    const { history, nowMs } = this.#world;
    const { endOffset, promisedOffset } = history;
    this.#reads.set(token, {
      askedAtMs: nowMs,
      askedAtEnd: endOffset,
      promisedOffset,
      offset: undefined,
    });
  }

  takeReads(answers: readonly ReadAnswer[]): void {
    for (const { token, offset } of answers) {
      const reading = this.#reads.get(token);
      if (offset === undefined) this.#reads.delete(token);
      else if (reading !== undefined) {
        reading.offset = offset;
        this.#world.checkReadIndex(this.#node, reading);
      }
    }
    this.answerReads();
  }

  /** A read is answered once everything up to its read index is applied (Raft thesis §6.4). */
  answerReads(): void {
    const isHasty = this.#world.sabotage.has("read-before-applied");
    for (const [token, reading] of this.#reads) {
      if (reading.offset === undefined) continue;
      if (this.appliedOffset < reading.offset && !isHasty) continue;
      this.#reads.delete(token);
      this.#world.onReadAnswered(this.#node, {
        askedAtMs: reading.askedAtMs,
        askedAtEnd: reading.askedAtEnd,
        promisedOffset: reading.promisedOffset,
        answeredOffset: this.appliedOffset,
      });
    }
  }
}
