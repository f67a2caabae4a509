/**
 * What one simulation is made of, drawn from its seed: every seed leaves whole classes of faults and of
 * operations out and weighs the rest anew (swarm testing), so that rare ones are not always drowned.
 *
 * Options are plain JSON: a failure is replayed, and made smaller, by editing them.
 */
import { Prng } from "../../src/ground/prng.ts";
import type { DiskNature } from "./env/disk_faults.ts";
import type { FaultName } from "./fault/fault_names.ts";
import { DAMAGING_FAULTS, FAULT_NAMES, LATER_FAULT_NAMES } from "./fault/fault_names.ts";
import type { OperationName } from "./operation/operation_names.ts";
import { OPERATION_NAMES } from "./operation/operation_names.ts";
import type { SimGroup } from "./group/group_options.ts";
import type { GroupOperationName } from "./group/operation/group_operation_names.ts";
import { drawLayout, type Layout } from "./layout.ts";
import type { PlantName } from "./plant.ts";

export interface SimOptions {
  readonly seed: number;
  readonly nodes: number;
  /** What the nodes are to each other (`layout.ts`). */
  readonly layout: Layout;
  readonly clients: number;
  /** Of the phase in which faults happen. */
  readonly safetyMs: number;
  /** How long the healed world has to do everything that is asked of it. */
  readonly livenessMs: number;
  readonly faultMeanMs: number;
  readonly thinkMeanMs: number;
  /** What is not named does not happen. */
  readonly faults: Partial<Record<FaultName, number>>;
  readonly operations: Partial<Record<OperationName, number>>;
  /** Faults, by their number in the run, that are left out: a shrinker's tool. */
  readonly skippedFaults: readonly number[];
  readonly network: {
    readonly latencyUs: number;
    readonly jitterUs: number;
    readonly bytesPerUs: number;
    readonly kernelBytes: number;
    readonly splitOneIn: number;
    readonly giveUpMs: number;
  };
  readonly disk: DiskNature;
  /** Clocks of machines run up to so many millionths too fast or too slow. */
  readonly driftPpm: number;
  readonly timerLateUs: number;
  /** Settings of all nodes beside those that the world needs. */
  readonly settings: Readonly<Record<string, string>>;
  /** None where left out, as in every world before there were any. */
  readonly groups?: readonly SimGroup[];
  /** What somebody who is no member does to them; nobody is there for that where left out. */
  readonly groupOperations?: Partial<Record<GroupOperationName, number>>;
  /** Settings of all nodes of a world with groups. */
  readonly groupSettings?: Readonly<Record<string, string>>;
  /** A bug on purpose; only tests name one. */
  readonly plant?: PlantName;
}

const WEIGHT_MAX = 9;

export function drawOptions(seed: number, given: Partial<SimOptions> = {}): SimOptions {
  const chance = new Prng(seed);
  const draw = (values: readonly number[]): number => values[chance.below(values.length)] as number;
  const isCalm = chance.oneIn(12);
  const faults: Partial<Record<FaultName, number>> = {};
  for (const name of FAULT_NAMES) {
    const weight = 1 + chance.below(WEIGHT_MAX);
    if (chance.oneIn(2) && !isCalm) faults[name] = weight;
  }
  // They end what can be promised: most seeds go without.
  if (!chance.oneIn(10)) { for (const name of DAMAGING_FAULTS) delete faults[name]; }
  const operations: Partial<Record<OperationName, number>> = {};
  for (const name of OPERATION_NAMES) {
    const weight = 1 + chance.below(WEIGHT_MAX);
    if (!chance.oneIn(4)) operations[name] = weight;
  }
  operations["create-topic"] ??= 1;
  operations.produce ??= 5;
  const options: SimOptions = {
    seed,
    ...drawLayout(new Prng(seed ^ 0x1a704)),
    clients: 1 + chance.below(3),
    safetyMs: 60_000,
    livenessMs: 60_000,
    faultMeanMs: draw([500, 2000, 5000, 15_000]),
    thinkMeanMs: chance.oneIn(16) ? 5 : draw([50, 200, 1000, 4000]),
    faults,
    operations,
    skippedFaults: [],
    network: {
      latencyUs: draw([50, 200, 1000, 10_000]),
      jitterUs: draw([0, 100, 2000, 20_000]),
      bytesPerUs: draw([1, 10, 100]),
      kernelBytes: draw([4096, 65_536, 262_144]),
      splitOneIn: draw([0, 2, 10]),
      giveUpMs: draw([3000, 15_000, 60_000]),
    },
    disk: {
      readUs: draw([20, 200, 2000]),
      syncUs: draw([200, 1000, 8000]),
      isDroppedByFailedSync: chance.oneIn(2),
    },
    driftPpm: draw([0, 100, 2000, 20_000]),
    timerLateUs: draw([0, 200, 3000]),
    settings: drawSettings(chance),
  };
  return complete(options, given, isCalm);
}

function complete(drawn: SimOptions, given: Partial<SimOptions>, isCalm: boolean): SimOptions {
  const options = { ...drawn, ...given };
  // Whoever names a number of nodes alone means nodes that are alike.
  if (given.nodes !== undefined) options.layout = given.layout ?? "alike";
  if (options.nodes > 1 && given.faults === undefined && !isCalm) {
    options.faults = { ...drawn.faults, ...drawLaterFaults(drawn.seed) };
  }
  return options;
}

function drawLaterFaults(seed: number): SimOptions["faults"] {
  const faults: Partial<Record<FaultName, number>> = {};
  for (const [index, name] of LATER_FAULT_NAMES.entries()) {
    const chance = new Prng(seed ^ 0xfa017 + index);
    if (chance.oneIn(3)) faults[name] = 1 + chance.below(WEIGHT_MAX);
  }
  return faults;
}

function drawSettings(chance: Prng): Readonly<Record<string, string>> {
  const settings: Record<string, string> = {};
  const maybe = (name: string, values: readonly string[]): void => {
    const value = values[chance.below(values.length)] as string;
    if (chance.oneIn(2)) settings[name] = value;
  };
  maybe("mq.background.flush.ms", ["200", "2000", "10000"]);
  maybe("log.initial.task.delay.ms", ["500", "5000"]);
  maybe("log.retention.check.interval.ms", ["500", "5000"]);
  maybe("mq.tail.cache.bytes", ["0", "2000", "100000"]);
  maybe("mq.scrub.interval.ms", ["0", "10000"]);
  maybe("log.segment.delete.delay.ms", ["100", "2000"]);
  maybe("metadata.log.max.record.bytes.between.snapshots", ["1000", "5000"]);
  maybe("broker.session.timeout.ms", ["1500", "4000"]);
  // A broker that is heard less than twice in a session is fenced now and then, and no world gets well.
  const session = settings["broker.session.timeout.ms"];
  if (session !== undefined) {
    settings["broker.heartbeat.interval.ms"] = String(Math.floor(Number(session) / 3));
  }
  return settings;
}

/** Three nodes alike in a world without faults, for measurements. */
export function calmOptions(seed: number, safetyMs: number): SimOptions {
  return drawOptions(seed, {
    nodes: 3,
    layout: "alike",
    clients: 0,
    safetyMs,
    faults: {},
    settings: {},
    network: {
      latencyUs: 200,
      jitterUs: 200,
      bytesPerUs: 100,
      kernelBytes: 65_536,
      splitOneIn: 0,
      giveUpMs: 15_000,
    },
    disk: { readUs: 50, syncUs: 1000, isDroppedByFailedSync: true },
    driftPpm: 100,
    timerLateUs: 200,
  });
}
