/**
 * How long a cluster of three with default settings is without an active controller after a kill.
 *
 *     bun test/sim/fail_over.ts [kills] [seed]
 *
 * In simulated time: what is measured follows from the time-outs and the network, not from the machine.
 * From the kill of the leader to the answer of the next CreateTopics that is accepted; a client that
 * tries again every 10 ms, through a node that lives.
 */
import process from "node:process";
import type { Client } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client_error.ts";
import { reportFailure } from "./failure_report.ts";
import { runSimulation } from "./run_seed.ts";
import { calmOptions, type SimOptions } from "./sim_options.ts";
import type { Script } from "./stage.ts";

const TRY_MS = 10;
const ORDER_TIMEOUT_MS = 400;
const BETWEEN_MS = 3000;
const DOWN_US = 1_500_000;

export function failOverOptions(seed: number, kills: number): SimOptions {
  return calmOptions(seed, 20_000 + kills * 60_000);
}

/** Milliseconds of each fail-over. */
export async function measureFailOver(seed: number, kills: number): Promise<readonly number[]> {
  const times: number[] = [];
  const script: Script = async (stage) => {
    let number = 0;
    for (let kill = 0; kill < kills; kill++) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await stage.allServe();
      // deno-lint-ignore no-await-in-loop
      const leader = await stage.controller();
      // deno-lint-ignore no-await-in-loop
      await stage.sleep(BETWEEN_MS + stage.env.random.below(1000));
      const other = stage.node(stage.idOf(leader) % 3 + 1);
      leader.kill(DOWN_US);
      const beganMs = stage.nowMs;
      for (let isDone = false; !isDone;) {
        const client = stage.client(other, ORDER_TIMEOUT_MS);
        const name = `t${number++}`;
        // deno-lint-ignore no-await-in-loop
        const created = await client.admin.createTopics([
          { name, partitions: 1, replicationFactor: 1, configs: {} },
        ]).catch((error: unknown) => {
          if (error instanceof ClientError) return undefined;
          throw error;
        });
        isDone = created?.[0]?.error === undefined && created !== undefined;
        if (isDone) times.push(stage.nowMs - beganMs);
        // deno-lint-ignore no-await-in-loop
        await client.close();
        // deno-lint-ignore no-await-in-loop
        if (!isDone) await stage.sleep(TRY_MS);
      }
      // deno-lint-ignore no-await-in-loop -- so that the cluster stays small
      await removeTopic(stage.client(other), `t${number - 1}`);
    }
  };
  const result = await runSimulation(failOverOptions(seed, kills), script);
  if (result.failure !== undefined) throw new Error(reportFailure(result));
  return times;
}

async function removeTopic(client: Client, name: string): Promise<void> {
  await client.admin.deleteTopics([name]).catch(() => undefined);
  await client.close();
}

export function percentile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

if (process.argv[1]?.endsWith("fail_over.ts") === true) {
  const [kills = "200", seed = "1"] = process.argv.slice(2);
  const times = await measureFailOver(Number(seed), Number(kills));
  const [p50, p90, p99, worst] = [0.5, 0.9, 0.99, 1].map((share) =>
    percentile(times, share).toFixed(0)
  );
  process.stdout.write(
    `${times.length} kills of the active controller, election time-out 400 ms, heartbeat 200 ms: ` +
      `to the next accepted CreateTopics p50 ${p50} ms, p90 ${p90} ms, p99 ${p99} ms, ` +
      `worst ${worst} ms (simulated)\n`,
  );
}
