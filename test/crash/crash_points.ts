/**
 * Stops a recorded life of a broker at disk calls, each in every mode, starts a broker on what is left,
 * and asks it for what was promised until then.
 */
import { Prng } from "../../src/ground/prng.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { CRASH_MODES, type CrashMode, CrashModel } from "./crash_model.ts";
import type { PlainDisk } from "./plain_disk.ts";
import { brokenPromise } from "./promises.ts";
import { RecordingDisk } from "./recording_disk.ts";
import { BROKER_SETTINGS, record, type Recording } from "./script.ts";
import { World } from "./world.ts";

export interface CrashPlan {
  readonly seed: number;
  readonly rounds: number;
  /** Of all (call, mode) pairs every so many-th is tried; 1 = all. */
  readonly every: number;
  /** Only crashes behind this call. */
  readonly only?: number | undefined;
  readonly onProgress?: (done: number, of: number) => void;
}

export interface CrashReport {
  /** Disk calls of the life. */
  readonly callCount: number;
  readonly pointCount: number;
  readonly failures: readonly string[];
}

const FAILURES_MAX = 10;
/** Of so many crashes one is followed by another in the middle of the recovery. */
const TWICE_EVERY = 10;

export async function tryCrashPoints(plan: CrashPlan): Promise<CrashReport> {
  const recording = await record(plan.seed, plan.rounds);
  const { calls } = recording.disk;
  const model = new CrashModel();
  const failures: string[] = [];
  let pointCount = 0;
  let pair = 0;
  for (const [index, call] of calls.entries()) {
    if (call.kind === "mark") {
      call.mark();
      continue;
    }
    model.apply(call);
    for (const mode of CRASH_MODES) {
      const isDue = plan.only === undefined ? pair % plan.every === 0 : index === plan.only;
      pair++;
      if (!isDue) continue;
      const chance = new Prng(plan.seed * 1_000_003 + pair);
      // deno-lint-ignore no-await-in-loop -- one after the other: each has a broker of its own
      const broken = await tryPoint({ recording, mode, chance }, model.image(mode, chance));
      pointCount++;
      if (broken === undefined) continue;
      failures.push(`seed ${plan.seed}, after call ${index} (${call.kind}), ${mode}: ${broken}`);
      if (failures.length === FAILURES_MAX) {
        return { callCount: calls.length, pointCount, failures };
      }
    }
    plan.onProgress?.(index, calls.length);
  }
  const callCount = calls.filter(({ kind }) => kind !== "mark").length;
  return { callCount, pointCount, failures };
}

interface Point {
  readonly recording: Recording;
  readonly mode: CrashMode;
  readonly chance: Prng;
}

async function tryPoint(point: Point, disk: PlainDisk): Promise<string | undefined> {
  const isTwice = point.chance.below(TWICE_EVERY) === 0;
  try {
    return await tryRecovery(point, isTwice ? await cutShort(point, disk) : disk);
  } catch (error) {
    return error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
  }
}

async function tryRecovery(
  { recording, mode }: Point,
  disk: PlainDisk,
): Promise<string | undefined> {
  const world = await World.start({ disk, settings: BROKER_SETTINGS, clock: new ManualClock() });
  const broken = await brokenPromise(world, recording.topics, mode);
  await world.kill();
  return broken && [broken, ...world.events].join("\n  ");
}

/** What is left where the recovery from the first crash is stopped in its turn. */
async function cutShort({ mode, chance }: Point, disk: PlainDisk): Promise<PlainDisk> {
  const recorder = new RecordingDisk(disk.copy());
  const world = await World.start({
    disk: recorder,
    settings: BROKER_SETTINGS,
    clock: new ManualClock(),
  });
  await world.kill();
  const model = new CrashModel(disk);
  for (const call of recorder.calls.slice(0, chance.below(recorder.calls.length + 1))) {
    model.apply(call);
  }
  return model.image(mode, chance);
}
