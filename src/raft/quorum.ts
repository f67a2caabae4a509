/**
 * Majorities: what more than half of each ruling set has reached (Raft §5.2, §6).
 *
 * While two sets rule, every agreement needs a majority of both, so a value is agreed up to the
 * smaller of the two majorities' values.
 */
import type { Configuration, ReplicaKey, Voter } from "./configuration.ts";
import { isSameReplica } from "./configuration.ts";

/** The largest value that more than half of the voters have reached. */
export function majorityValue(
  voters: readonly Voter[],
  valueOf: (voter: Voter) => number,
): number {
  if (voters.length === 0) return -Infinity; // nobody agrees to anything
  const [first, second, third] = voters as readonly [Voter, Voter?, Voter?];
  if (second === undefined) return valueOf(first);
  if (voters.length > 3) return middleValue(voters, valueOf);
  const [one, other] = [valueOf(first), valueOf(second)];
  const [low, high] = one < other ? [one, other] : [other, one];
  return third === undefined ? low : Math.max(low, Math.min(high, valueOf(third)));
}

/** Sorted by insertion: voters are few, and a leader asks after every answer. */
function middleValue(voters: readonly Voter[], valueOf: (voter: Voter) => number): number {
  const falling: number[] = [];
  for (const voter of voters) {
    const value = valueOf(voter);
    let at = falling.length;
    while (at > 0 && (falling[at - 1] as number) < value) {
      falling[at] = falling[at - 1] as number;
      at--;
    }
    falling[at] = value;
  }
  return falling[falling.length >>> 1] as number;
}

/** The same under both ruling sets. */
export function quorumValue(
  configuration: Configuration,
  valueOf: (voter: Voter) => number,
): number {
  const value = majorityValue(configuration.voters, valueOf);
  if (configuration.outgoing === undefined) return value;
  return Math.min(value, majorityValue(configuration.outgoing, valueOf));
}

export type Verdict = "won" | "lost" | "open";

/** Votes of one round; a replica that answers twice is counted once. */
export class Tally {
  readonly #granted: ReplicaKey[] = [];
  readonly #refused: ReplicaKey[] = [];

  /** Who granted, with the directory it answered from. */
  get granted(): readonly ReplicaKey[] {
    return this.#granted;
  }

  add(voter: ReplicaKey, isGranted: boolean): void {
    // The first answer stands: a later one of the same round can only be a repetition.
    if (isAmong(this.#granted, voter) || isAmong(this.#refused, voter)) return;
    (isGranted ? this.#granted : this.#refused).push(voter);
  }

  verdict(configuration: Configuration): Verdict {
    const has = (keys: readonly ReplicaKey[], voter: Voter): number =>
      keys.some((key) => isSameReplica(voter, key)) ? 1 : 0;
    if (quorumValue(configuration, (voter) => has(this.#granted, voter)) === 1) return "won";
    const canWin = quorumValue(configuration, (voter) => 1 - has(this.#refused, voter)) === 1;
    return canWin ? "open" : "lost";
  }
}

function isAmong(keys: readonly ReplicaKey[], voter: ReplicaKey): boolean {
  return keys.some((key) => key.id === voter.id && key.directoryId === voter.directoryId);
}
