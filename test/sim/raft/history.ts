/**
 * The one history that a run commits: each batch once, in order, with the hash of all up to it.
 *
 * The first node whose commit offset passes a batch writes it down here; every other node is held to
 * it from then on (the StateChecker of TigerBeetle's simulator).
 */
import type { Configuration } from "../../../src/raft/configuration.ts";
import type { Stored } from "./stored_log.ts";

export class History {
  readonly batches: Stored[] = [];
  /** `hashes[n]`: the state after the first n batches. */
  readonly hashes: number[] = [1];
  /** The configuration after the last committed batch that held one. */
  configuration: Configuration;
  configurationOffset = 0;
  /** Offsets that somebody outside was promised: acknowledged proposals and answered reads. */
  promisedOffset = 0;
  /** The term of the leader that committed the batch first. */
  readonly committedInTerm: number[] = [];
  readonly #countAtEnd = new Map<number, number>([[0, 0]]);

  constructor(bootstrap: Configuration) {
    this.configuration = bootstrap;
  }

  get endOffset(): number {
    return this.batches.at(-1)?.entry.nextOffset ?? 0;
  }

  push(stored: Stored, term: number): void {
    this.batches.push(stored);
    this.committedInTerm.push(term);
    this.hashes.push(nextStateHash(this.hashes.at(-1) as number, stored));
    this.#countAtEnd.set(stored.entry.nextOffset, this.batches.length);
    if (stored.entry.configuration !== undefined) {
      this.configuration = stored.entry.configuration;
      this.configurationOffset = stored.entry.baseOffset;
    }
  }

  /** How many batches end at or below this end; undefined where none ends there. */
  countAt(endOffset: number): number | undefined {
    return this.#countAtEnd.get(endOffset);
  }

  /** The hash of the state at this end. */
  hashAt(endOffset: number): number | undefined {
    const count = this.countAt(endOffset);
    return count === undefined ? undefined : this.hashes[count];
  }
}

/** What applying a batch makes of the state. */
export function nextStateHash(hash: number, { entry, payload }: Stored): number {
  const mixed = Math.imul(hash ^ payload, 0x9e3779b1) ^ Math.imul(entry.term + 7, 0x85ebca6b) ^
    entry.baseOffset;
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
