/**
 * Records what a real Kafka 4.1 answers the requests of `alter_configs_requests.ts`: run by hand
 * against a broker with the id 1 that was just started.
 *
 *     bun test/golden/record_alter_configs.ts HOST:PORT > test/golden/alter_configs_answers.json
 */
import process from "node:process";
import { createTopics } from "../../src/api/create_topics.ts";
import { parseAddress } from "../../src/client/address.ts";
import { Connection } from "../../src/client/connection.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { exchange } from "./alter_configs_exchange.ts";

const address = parseAddress(process.argv[2] ?? "");
if (address === undefined) throw new Error("Cannot record answers: give the HOST:PORT of a broker");
const env = createHostEnv();
const connection = await Connection.open({
  address,
  clientId: "golden",
  requestTimeoutMs: 10_000,
  env,
});
await connection.requestAt(createTopics, 7, {
  topics: ["t", "u"].map((name) => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  })),
  timeoutMs: 10_000,
});
const answers = await exchange({
  ask: async (api, version, body) => {
    // A broker of Kafka hears of what its controller has decided a moment later.
    if (api.name === "DescribeConfigs") {
      await new Promise<void>((resolve) => void env.clock.after(300, resolve));
    }
    return await connection.requestAt(api, version, body);
  },
});
console.log(`[\n${answers.map((answer) => JSON.stringify(answer)).join(",\n")}\n]`);
process.exit(0);
