/** Groups in the simulator: seeds that keep every promise, and bugs on purpose that must be found. */
import { describe, expect, test } from "bun:test";
import { reportFailure } from "./failure_report.ts";
import { drawGroups } from "./group/group_options.ts";
import { type GroupPlantName, groupWorldOf } from "./plant_groups.ts";
import { runSimulation } from "./run_seed.ts";
import { drawOptions } from "./sim_options.ts";

const PLANTED: readonly (readonly [GroupPlantName, number, string])[] = [
  ["two-owners-in-an-epoch", 3, "a partition has one owner"],
  ["revoked-is-not-awaited", 2, "a partition has one owner"],
  ["group-answers-before-commit", 3, "acknowledged is on the medium"],
  ["commit-beyond-the-handed-out", 2, "nothing is skipped by a commit"],
  ["load-ends-early", 3, "a shard is what its log says"],
  ["first-commit-wins", 3, "an offset that is told was committed last"],
  ["old-generation-commits", 2, "a commit is of who is a member now"],
  ["old-epoch-commits", 1, "a commit is of who is a member now"],
  ["topics-are-stale", 17, "a partition has one owner"],
  ["former-leader-answers", 1, "an acknowledged commit is kept"],
  ["tombstone-is-forgotten", 3, "a shard is what its log says"],
  ["heartbeat-renews-nothing", 3, "no member is expelled that was heard within its session"],
  ["assignment-of-another", 2, "a member is told its own"],
  ["static-member-is-lost", 3, "a static name has one member"],
  ["offsets-of-another-group", 2, "an offset that is told was committed last"],
  ["refused-append-is-replayed", 2, "an offset that is told was committed last"],
];

describe("groups", () => {
  test("a seed keeps every promise, and leaves the same trace twice", async () => {
    const options = drawOptions(2, { nodes: 1, groups: drawGroups(2), safetyMs: 20_000 });
    const first = await runSimulation(options);
    expect(first.failure === undefined ? "ok" : reportFailure(first)).toBe("ok");
    expect((await runSimulation(options)).hash).toBe(first.hash);
  });

  for (const [plant, seed, what] of PLANTED) {
    test(`${plant} is found by seed ${seed}`, async () => {
      const { failure } = await runSimulation(drawOptions(seed, { ...groupWorldOf(plant), plant }));
      expect(failure?.what).toBe(what);
    });
  }
});
