/** Groups in the simulator: seeds that keep every promise, and bugs on purpose that must be found. */
import { describe, expect, test } from "bun:test";
import { reportFailure } from "./failure_report.ts";
import { drawGroups } from "./group/group_options.ts";
import { GROUP_OPERATION_NAMES } from "./group/operation/group_operation_names.ts";
import { type GroupPlantName, groupWorldOf } from "./plant_groups.ts";
import { type OrderPlantName, orderWorldOf } from "./plant_orders.ts";
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
  ["topics-are-stale", 1, "new partitions get an owner"],
  ["partitions-are-stale", 1, "new partitions get an owner"],
  ["silent-member-stays", 4, "liveness"],
  ["generation-is-repeated", 8, "generations grow"],
  ["anybody-may-come-in", 1, "a new member comes with the id it was given"],
  ["everybody-leads", 1, "a generation has one leader"],
  ["leader-misses-a-member", 1, "the leader is told of all members"],
  ["answers-are-released-early", 3, "acknowledged is on the medium"],
  ["told-before-it-is-kept", 3, "acknowledged is on the medium"],
  ["deleted-topic-keeps-offsets", 2, "liveness"],
  ["offsets-in-use-expire", 1, "an offset that members read from stays"],
  ["former-leader-answers", 4, "an acknowledged commit is kept"],
  ["tombstone-is-forgotten", 3, "a shard is what its log says"],
  ["heartbeat-renews-nothing", 3, "no member is expelled that was heard within its session"],
  ["assignment-of-another", 2, "a member is told its own"],
  ["static-member-is-lost", 3, "a static name has one member"],
  ["offsets-of-another-group", 2, "an offset that is told was committed last"],
  ["refused-append-is-replayed", 2, "an acknowledged commit is kept"],
];

const ORDERS_PLANTED: readonly (readonly [OrderPlantName, number, string])[] = [
  ["commit-goes-back", 1, "an offset goes back only by order"],
  ["live-group-takes-orders", 5, "orders are for groups without members"],
  ["deletion-is-not-written", 3, "what was deleted is gone"],
  ["deletion-leaves-its-place", 3, "deleted groups stay deleted"],
  ["cleaner-keeps-the-oldest", 3, "a shard is what its log says"],
  [
    "classic-heartbeat-renews-nothing",
    12,
    "no member is expelled that was heard within its session",
  ],
  ["static-names-are-mixed-up", 1, "a static name has one member"],
];

describe("groups", () => {
  test("a seed keeps every promise, and leaves the same trace twice", async () => {
    const options = drawOptions(2, { nodes: 1, ...drawGroups(2), safetyMs: 20_000 });
    const first = await runSimulation(options);
    expect(first.failure === undefined ? "ok" : reportFailure(first)).toBe("ok");
    expect((await runSimulation(options)).hash).toBe(first.hash);
  });

  test("a seed does everything to groups, and cleans their log under them", async () => {
    const { groupOperations, ...world } = orderWorldOf();
    const { coverage, ...result } = await runSimulation(drawOptions(7, {
      ...world,
      groupOperations: { ...groupOperations, "remove-members": 1 },
      faultMeanMs: 4000,
    }));
    expect(result.failure?.message ?? "ok").toBe("ok");
    const wanted = [
      ...GROUP_OPERATION_NAMES.map((name) => `group operation ${name} ok`),
      "groups: log cleaned",
      "groups: loaded from a cleaned log",
      "groups: becomes consumer with members",
      "groups: becomes classic with members",
      "groups: ends without members",
    ];
    expect(wanted.filter((what) => (coverage.get(what) ?? 0) === 0)).toEqual([]);
  });

  for (const [plant, seed, what] of PLANTED) {
    test(`${plant} is found by seed ${seed}`, async () => {
      const { failure } = await runSimulation(drawOptions(seed, { ...groupWorldOf(plant), plant }));
      expect(failure?.what).toBe(what);
    });
  }

  for (const [plant, seed, what] of ORDERS_PLANTED) {
    test(`${plant} is found by seed ${seed}`, async () => {
      const { failure } = await runSimulation(drawOptions(seed, { ...orderWorldOf(plant), plant }));
      expect(failure?.what).toBe(what);
    });
  }
});
