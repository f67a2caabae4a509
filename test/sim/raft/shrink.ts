/**
 * Makes a failing run small: takes away fault classes, weights, nodes and single deeds, and keeps what
 * still breaks the same invariant.
 *
 * Every step is a whole run, so the number of runs is bounded. Greedy, as TigerBeetle and Hypothesis do it:
 * a step that helped is kept and everything after it builds on it.
 */
import { deedNames, type SimOptions } from "./options.ts";
import { type RunResult, type RunSettings, World } from "./world.ts";

export interface Shrunk {
  readonly options: SimOptions;
  readonly result: RunResult;
  readonly runCount: number;
}

export function shrink(failing: SimOptions, settings: RunSettings, runCountMax = 400): Shrunk {
  let options = failing;
  let result = new World(options, { ...settings, isRecording: true }).run();
  const { violation } = result;
  let runCount = 1;

  function tries(candidate: SimOptions): boolean {
    if (runCount >= runCountMax) return false;
    runCount++;
    const tried = new World(candidate, { ...settings, isRecording: true }).run();
    if (tried.violation?.invariant !== violation?.invariant) return false;
    options = candidate;
    result = tried;
    return true;
  }

  if (violation === undefined) return { options, result, runCount };
  cutTime();
  for (const simpler of simplerWorlds()) tries({ ...options, ...simpler(options) });
  takeDeedsAway();
  cutTime();
  return { options, result, runCount };

  /** Nothing after the violation matters; a missing progress is only seen at the end. */
  function cutTime(): void {
    const endMs = Math.ceil(result.violation?.atMs ?? 0) + 1;
    if (endMs <= options.safetyMs) tries({ ...options, safetyMs: endMs, livenessMs: 0 });
  }

  /** Single deeds go in halves, quarters, … one by one. */
  function takeDeedsAway(): void {
    let chunk = Math.ceil(result.performed.length / 2);
    while (chunk >= 1 && runCount < runCountMax) {
      for (let at = 0; at < result.performed.length && runCount < runCountMax;) {
        const skip = [...options.skip, ...result.performed.slice(at, at + chunk)];
        if (!tries({ ...options, skip })) at += chunk;
      }
      chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2);
    }
  }
}

/** Worlds with one thing less. */
function simplerWorlds(): readonly ((options: SimOptions) => Partial<SimOptions>)[] {
  return [
    ...deedNames.map((name) => ({ meanMs }: SimOptions) => ({ meanMs: { ...meanMs, [name]: 0 } })),
    ({ network }) => ({ network: { ...network, lossPermille: 0 } }),
    ({ network }) => ({ network: { ...network, duplicatePermille: 0 } }),
    ({ network }) => ({ network: { ...network, isOrdered: true } }),
    ({ network }) => ({ network: { ...network, delayMeanMs: 1 } }),
    ({ disk }) => ({ disk: { ...disk, mayKeepUnsynced: false } }),
    ({ disk }) => ({ disk: { ...disk, syncMinMs: 1, syncMeanMs: 0 } }),
    () => ({ driftPermille: 0 }),
    () => ({ applyMeanMs: 0 }),
    ({ voterCount }) => ({ nodeCount: voterCount }),
    ({ nodeCount }) => ({ nodeCount: nodeCount - 1 }),
    ({ nodeCount, voterCount }) => ({ nodeCount: nodeCount - 1, voterCount: voterCount - 1 }),
    ({ nodeCount, voterCount }) => ({ nodeCount: nodeCount - 1, voterCount: voterCount - 1 }),
  ];
}
