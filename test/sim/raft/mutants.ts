/**
 * The bugs that the simulation must find, and how many seeds it needs for each.
 *
 * `machine`: a switch of `src/raft/sabotage.ts`. `driver`: a rule of the driver or its disk that is not kept
 * (`sim_node.ts`, `sim_disk.ts`). `message`: a check that messages are made to pass (`tampering.ts`).
 * A planted bug is found by a seed when any invariant breaks; which one is told.
 */
import { swarmOptions } from "./options.ts";
import { type RunSettings, World } from "./world.ts";

export interface Mutant {
  readonly name: string;
  readonly place: "machine" | "driver" | "message";
  /** The suite finds it in so many seeds: twice the worst of five first seeds, see README.md. */
  readonly seedCountMax: number;
}

export const mutants: readonly Mutant[] = [
  { name: "vote-twice", place: "machine", seedCountMax: 20 },
  { name: "vote-for-any-log", place: "machine", seedCountMax: 20 },
  { name: "vote-before-durable", place: "machine", seedCountMax: 20 },
  { name: "no-pre-vote", place: "machine", seedCountMax: 20 },
  { name: "no-check-quorum", place: "machine", seedCountMax: 20 },
  { name: "commit-old-term", place: "machine", seedCountMax: 20 },
  { name: "count-unsynced-self", place: "machine", seedCountMax: 20 },
  { name: "accept-before-durable", place: "machine", seedCountMax: 20 },
  { name: "apply-unsynced", place: "machine", seedCountMax: 20 },
  { name: "late-write-counts", place: "machine", seedCountMax: 30 },
  { name: "truncate-always", place: "machine", seedCountMax: 20 },
  { name: "commit-unverified", place: "machine", seedCountMax: 30 },
  { name: "lease-read", place: "machine", seedCountMax: 20 },
  { name: "read-before-own-term", place: "machine", seedCountMax: 20 },
  { name: "decide-before-own-term", place: "machine", seedCountMax: 20 },
  { name: "one-set-in-joint", place: "machine", seedCountMax: 30 },
  { name: "no-joint", place: "machine", seedCountMax: 20 },
  { name: "learners-count", place: "machine", seedCountMax: 20 },
  { name: "removed-leader-counts", place: "machine", seedCountMax: 50 },
  { name: "no-configuration-rollback", place: "machine", seedCountMax: 100 },
  { name: "directory-ignored", place: "machine", seedCountMax: 120 },
  { name: "snapshot-goes-back", place: "machine", seedCountMax: 90 },
  { name: "count-old-terms", place: "machine", seedCountMax: 60 },
  { name: "change-while-pending", place: "machine", seedCountMax: 40 },
  { name: "truncate-committed", place: "machine", seedCountMax: 20 },
  { name: "vote-reply-before-sync", place: "driver", seedCountMax: 20 },
  { name: "vote-request-before-sync", place: "driver", seedCountMax: 20 },
  { name: "append-reply-before-sync", place: "driver", seedCountMax: 20 },
  { name: "vote-directory-not-synced", place: "driver", seedCountMax: 30 },
  { name: "snapshot-directory-not-synced", place: "driver", seedCountMax: 20 },
  { name: "snapshot-ahead-of-log", place: "driver", seedCountMax: 20 },
  { name: "log-start-before-snapshot", place: "driver", seedCountMax: 70 },
  { name: "term-not-written", place: "driver", seedCountMax: 20 },
  { name: "vote-not-written", place: "driver", seedCountMax: 20 },
  { name: "directory-id-kept", place: "driver", seedCountMax: 20 },
  { name: "read-before-applied", place: "driver", seedCountMax: 20 },
  { name: "snapshot-told-early", place: "driver", seedCountMax: 20 },
  { name: "resumes-after-crash", place: "driver", seedCountMax: 50 },
  { name: "old-disk-restored", place: "driver", seedCountMax: 20 },
  { name: "no-prev-check", place: "message", seedCountMax: 60 },
  { name: "accept-old-term", place: "message", seedCountMax: 20 },
  { name: "reply-of-old-term", place: "message", seedCountMax: 60 },
  { name: "rejected-counts", place: "message", seedCountMax: 20 },
  { name: "read-old-round", place: "message", seedCountMax: 20 },
  { name: "match-is-sent", place: "message", seedCountMax: 20 },
  { name: "pre-votes-count", place: "message", seedCountMax: 20 },
  { name: "acknowledge-log-end", place: "message", seedCountMax: 40 },
  { name: "candidate-counts-uncommitted-term", place: "message", seedCountMax: 20 },
  { name: "prev-term-of-next", place: "message", seedCountMax: 20 },
];

export interface Found {
  /** How many seeds were run, the finding one included; undefined: not found. */
  readonly seedCount: number | undefined;
  readonly seed: number | undefined;
  readonly invariant: string | undefined;
}

/** Runs seeds from `firstSeed` until the planted bug is found. */
export function seedsNeeded(
  name: string,
  firstSeed: number,
  seedCountMax: number,
  settings: RunSettings = {},
): Found {
  for (let count = 1; count <= seedCountMax; count++) {
    const seed = firstSeed + count - 1;
    const { violation } = new World(swarmOptions(seed, [name]), settings).run();
    if (violation !== undefined) {
      return { seedCount: count, seed, invariant: violation.invariant };
    }
  }
  return { seedCount: undefined, seed: undefined, invariant: undefined };
}

/** A row per planted bug: seeds needed from several first seeds, median and worst. */
export function mutantRow(
  mutant: Mutant,
  firstSeeds: readonly number[],
  seedCountMax: number,
  settings: RunSettings = {},
): string {
  const found = firstSeeds.map((first) => seedsNeeded(mutant.name, first, seedCountMax, settings));
  const counts = found.map(({ seedCount }) => seedCount ?? Infinity).sort((a, b) => a - b);
  const median = counts[Math.floor(counts.length / 2)] as number;
  const worst = counts.at(-1) as number;
  const invariants = [...new Set(found.flatMap(({ invariant }) => invariant ?? []))];
  const shown = (count: number): string => count === Infinity ? `> ${seedCountMax}` : String(count);
  return `| ${mutant.name} | ${mutant.place} | ${shown(median)} | ${shown(worst)} | ` +
    `${invariants.join(", ")} |`;
}
