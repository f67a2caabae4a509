/**
 * What one seed's world is like: drawn from the seed by swarm rules, printed on failure, shrunk.
 *
 * Swarm testing: each seed switches whole classes of faults and operations off and gives the rest
 * wildly different weights, because a world with a little of everything never gets deep into
 * anything (Groce et al., "Swarm Testing", 2012). Everything is a plain value, so that options can
 * be written into a corpus line and edited by the shrinker.
 */
import { Prng } from "../../../src/ground/prng.ts";

export const deedNames = [
  "crash",
  "crash-all",
  "pause",
  "slow",
  "isolate",
  "split",
  "cut-one-way",
  "clog",
  "empty-disk",
  "swap-disks",
  "restart",
  "propose",
  "read",
  "change-voters",
  "transfer",
  "snapshot",
] as const;
export type DeedName = (typeof deedNames)[number];

export interface SimOptions {
  readonly seed: number;
  readonly nodeCount: number;
  /** The first so many nodes are voters from the start. */
  readonly voterCount: number;
  /** Anything goes for so long; then a quorum is healed and must make progress. */
  readonly safetyMs: number;
  readonly livenessMs: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly appendBytesMax: number;
  readonly inflightMax: number;
  readonly network: {
    readonly delayMinMs: number;
    readonly delayMeanMs: number;
    readonly lossPermille: number;
    readonly duplicatePermille: number;
    /** Messages that take so long that they arrive in another age; only where order is not kept. */
    readonly stragglerPermille: number;
    readonly isOrdered: boolean;
  };
  readonly disk: {
    readonly syncMinMs: number;
    readonly syncMeanMs: number;
    /** Whether a crash may leave part of what was not synced behind (else nothing of it). */
    readonly mayKeepUnsynced: boolean;
  };
  readonly applyMeanMs: number;
  /** The first configuration names directory ids; else they are all zero (and no disk is exchanged). */
  readonly areDirectoriesKnown: boolean;
  /** Clocks run at 1000 ± so many thousandths. */
  readonly driftPermille: number;
  /** How long a crash, pause, cut… lasts on average. */
  readonly troubleMeanMs: number;
  /** The mean time between two deeds of a kind; 0 = never. */
  readonly meanMs: Readonly<Record<DeedName, number>>;
  /** Changes of voters are any that may be; or first all that add, up to five, and then all that remove. */
  readonly changes: "any" | "tide";
  /** A process that wakes up answers its users before it reads its mail. */
  readonly readsOnWaking: boolean;
  /** Deeds left out by the shrinker: "crash:3" is the fourth crash. */
  readonly skip: readonly string[];
  /** Planted bugs, see `mutants.ts`. */
  readonly sabotage: readonly string[];
}

const OFTEN: Readonly<Record<DeedName, readonly [low: number, high: number]>> = {
  "crash": [800, 20_000],
  "crash-all": [4_000, 40_000],
  "pause": [800, 15_000],
  "slow": [1_500, 15_000],
  "isolate": [800, 15_000],
  "split": [1_000, 15_000],
  "cut-one-way": [600, 12_000],
  "clog": [500, 8_000],
  "empty-disk": [5_000, 40_000],
  "swap-disks": [5_000, 40_000],
  "restart": [1_500, 20_000],
  "propose": [30, 2_000],
  "read": [50, 2_000],
  "change-voters": [700, 15_000],
  "transfer": [500, 15_000],
  "snapshot": [200, 10_000],
};

/** The world of a seed. */
export function swarmOptions(seed: number, sabotage: readonly string[] = []): SimOptions {
  const random = new Prng(seed);
  const voterCount = pick(random, [1, 1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 6, 7]);
  const electionTimeoutMs = pick(random, [200, 400, 400, 400, 800, 1_000]);
  const meanMs = Object.fromEntries(deedNames.map((name) => {
    const [low, high] = OFTEN[name];
    const isOn = random.below(100) < (name === "propose" || name === "read" ? 92 : 55);
    const mean = low + random.below(high - low) * random.below(1_000) / 1_000;
    return [name, isOn ? Math.floor(mean) : 0];
  })) as Record<DeedName, number>;
  const changes = random.oneIn(8) ? "tide" : "any";
  const spareCount = changes === "tide" ? 5 : pick(random, [0, 0, 1, 1, 2]);
  const drawn: SimOptions = {
    seed,
    nodeCount: Math.min(7, voterCount + spareCount),
    voterCount,
    safetyMs: 46_000,
    livenessMs: 14_000,
    electionTimeoutMs,
    heartbeatMs: Math.floor(electionTimeoutMs / pick(random, [3, 4, 5])),
    appendBytesMax: pick(random, [16, 64, 1_000, 100_000]),
    inflightMax: pick(random, [1, 2, 8, 32]),
    network: drawNetwork(random),
    disk: drawDisk(random),
    applyMeanMs: pick(random, [0, 0, 1, 20]),
    areDirectoriesKnown: !random.oneIn(6),
    driftPermille: pick(random, [0, 0, 10, 50, 100]),
    troubleMeanMs: pick(random, [300, 1_000, 2_000, 4_000]),
    meanMs,
    changes,
    readsOnWaking: random.oneIn(2),
    skip: [],
    sabotage,
  };
  const focus = random.below(5 * foci.length);
  return foci[focus]?.(drawn, random) ?? drawn;
}

type Focus = (drawn: SimOptions, random: Prng) => SimOptions;

/**
 * Worlds drawn towards one corner, a seed in five: what needs several rare things in a row is rare even
 * among many seeds, unless each of them is made frequent on purpose.
 */
const foci: readonly Focus[] = [
  /** Leaders fall between replication and commit, batch by batch (Raft fig. 8). */
  (drawn, random) => ({
    ...drawn,
    ...quickElections(random),
    nodeCount: 5,
    voterCount: 5,
    appendBytesMax: 16,
    inflightMax: 1,
    network: { ...drawn.network, delayMinMs: 1, delayMeanMs: 5, lossPermille: 50 },
    troubleMeanMs: 300,
    meanMs: {
      ...drawn.meanMs,
      "crash": 300,
      "isolate": 400,
      "cut-one-way": 500,
      "crash-all": 0,
      "empty-disk": 0,
      "swap-disks": 0,
      "change-voters": 0,
      "propose": 60,
    },
  }),
  /** Mail of one leadership arrives in another of the same node. */
  (drawn, random) => ({
    ...drawn,
    ...quickElections(random),
    network: {
      delayMinMs: 0,
      delayMeanMs: pick(random, [5, 20]),
      lossPermille: 20,
      duplicatePermille: 500,
      stragglerPermille: 200,
      isOrdered: false,
    },
    troubleMeanMs: pick(random, [200, 600]),
    meanMs: {
      ...drawn.meanMs,
      "crash": 700,
      "clog": 150,
      "isolate": 600,
      "pause": 500,
      "transfer": 400,
      "propose": 60,
      "read": 80,
    },
    readsOnWaking: true,
  }),
  /** Long partitions with a leader in the smaller part, which keeps what it cannot commit. */
  (drawn) => ({
    ...drawn,
    nodeCount: Math.max(3, drawn.nodeCount),
    voterCount: Math.max(3, drawn.voterCount),
    troubleMeanMs: 2_000,
    meanMs: {
      ...drawn.meanMs,
      "crash": 2_000,
      "split": 1_500,
      "isolate": 1_500,
      "cut-one-way": 1_500,
      "propose": 80,
      "read": 80,
      "snapshot": 400,
    },
  }),
  /** Voters change while their leaders fall. */
  (drawn, random) => ({
    ...drawn,
    ...quickElections(random),
    nodeCount: Math.min(7, Math.max(4, drawn.nodeCount)),
    voterCount: Math.min(3, drawn.voterCount),
    troubleMeanMs: 500,
    meanMs: {
      ...drawn.meanMs,
      "crash": 900,
      "isolate": 900,
      "change-voters": 250,
      "transfer": 1_500,
      "propose": 150,
      "empty-disk": drawn.areDirectoriesKnown ? 4_000 : 0,
    },
  }),
];

/** A tenth of a second without a leader, and somebody campaigns: ten times as many terms. */
function quickElections(
  random: Prng,
): Pick<SimOptions, "electionTimeoutMs" | "heartbeatMs" | "disk"> {
  const electionTimeoutMs = pick(random, [80, 120, 200]);
  return {
    electionTimeoutMs,
    heartbeatMs: electionTimeoutMs >> 2,
    disk: { syncMinMs: 0, syncMeanMs: pick(random, [2, 10]), mayKeepUnsynced: random.oneIn(2) },
  };
}

function drawNetwork(random: Prng): SimOptions["network"] {
  return {
    delayMinMs: pick(random, [0, 0, 1, 5]),
    delayMeanMs: pick(random, [0, 1, 1, 5, 20, 60]),
    lossPermille: pick(random, [0, 0, 0, 5, 50, 200]),
    duplicatePermille: pick(random, [0, 0, 0, 20, 200, 500]),
    stragglerPermille: pick(random, [0, 0, 3, 30]),
    isOrdered: random.oneIn(2),
  };
}

function drawDisk(random: Prng): SimOptions["disk"] {
  return {
    syncMinMs: pick(random, [0, 0, 1, 3]),
    syncMeanMs: pick(random, [0, 1, 2, 10, 50]),
    mayKeepUnsynced: random.oneIn(2),
  };
}

/** A world without any fault, in which nearly nothing happens: what idling costs. */
export function idleOptions(seed: number, seconds: number): SimOptions {
  const none = Object.fromEntries(deedNames.map((name) => [name, 0])) as Record<DeedName, number>;
  return {
    ...swarmOptions(seed),
    nodeCount: 3,
    voterCount: 3,
    safetyMs: seconds * 1_000,
    livenessMs: 0,
    electionTimeoutMs: 400,
    heartbeatMs: 100,
    appendBytesMax: 100_000,
    inflightMax: 8,
    network: {
      delayMinMs: 1,
      delayMeanMs: 0,
      lossPermille: 0,
      duplicatePermille: 0,
      stragglerPermille: 0,
      isOrdered: true,
    },
    disk: { syncMinMs: 1, syncMeanMs: 1, mayKeepUnsynced: false },
    applyMeanMs: 0,
    driftPermille: 0,
    meanMs: { ...none, propose: 1_000 },
    changes: "any",
    readsOnWaking: false,
  };
}

function pick<Value>(random: Prng, values: readonly Value[]): Value {
  return values[random.below(values.length)] as Value;
}
