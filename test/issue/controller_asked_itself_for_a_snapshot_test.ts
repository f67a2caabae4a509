/**
 * A controller without a vote asks the leader for metadata, and asked any controller, itself among them, for
 * the snapshot that the leader had named: "not found", for ever. A node 1 that had lost its disk never
 * served again once the log of the others no longer reached back to the beginning.
 */
import { expect, test } from "bun:test";
import { ClientError } from "../../src/client/client_error.ts";
import { reportFailure } from "../sim/failure_report.ts";
import { runSimulation } from "../sim/run_seed.ts";
import { drawOptions } from "../sim/sim_options.ts";
import type { Stage } from "../sim/stage.ts";

const OPTIONS = drawOptions(1, {
  layout: "alike",
  nodes: 3,
  clients: 0,
  safetyMs: 300_000,
  faults: {},
  settings: { "metadata.log.max.record.bytes.between.snapshots": "1000" },
});

async function createMany(stage: Stage, through: number, names: readonly string[]): Promise<void> {
  const client = stage.client(stage.node(through));
  for (const name of names) {
    // deno-lint-ignore no-await-in-loop -- one after the other
    await client.admin.createTopics([{ name, partitions: 1, replicationFactor: 1, configs: {} }])
      .catch((error: unknown) => {
        if (!(error instanceof ClientError)) throw error;
      });
  }
  await client.close();
}

test("a controller that lost its disk, and its place in the log, follows the others", async () => {
  const result = await runSimulation(OPTIONS, async (stage) => {
    await stage.allServe();
    const first = stage.node(1);
    first.hold();
    await stage.until("another one leads", () => {
      return stage.world.nodes.some((node) => node !== first && node.isActiveController);
    });
    first.loseDisk();
    for (const round of [0, 1]) {
      const before = [2, 3].map((id) => stage.node(id).quorum?.node.logStartOffset ?? 0);
      const names = Array.from({ length: 30 }, (_, number) => `t${round}.${number}`);
      // deno-lint-ignore no-await-in-loop -- one after the other
      await createMany(stage, 2, names);
      // deno-lint-ignore no-await-in-loop
      await stage.until("the logs of the others were cut", () => {
        return [2, 3].every((id, index) => {
          return (stage.node(id).quorum?.node.logStartOffset ?? 0) > (before[index] ?? 0);
        });
      });
      first.release();
      // deno-lint-ignore no-await-in-loop
      await stage.until("it serves", () => first.phase === "serving");
      stage.expect(first.metadata?.image.topic(`t${round}.29`) !== undefined, "it has all topics");
      first.hold();
    }
  });
  expect(result.failure === undefined ? "ok" : reportFailure(result)).toBe("ok");
});
