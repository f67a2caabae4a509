/**
 * Records what a real Kafka 4.1 answers to `delete_records_exchange.ts`: run by hand against a broker
 * that was just started.
 *
 *     bun test/golden/record_delete_records.ts HOST:PORT > test/golden/kafka_4_1_delete_records.json
 */
import process from "node:process";
import { createTopics } from "../../src/api/create_topics.ts";
import { listOffsets } from "../../src/api/list_offsets.ts";
import { produce } from "../../src/api/produce.ts";
import { parseAddress } from "../../src/client/address.ts";
import { Connection } from "../../src/client/connection.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { exchange, RECORDS, TOPICS } from "./delete_records_exchange.ts";

const address = parseAddress(process.argv[2] ?? "");
if (address === undefined) throw new Error("Cannot record answers: give the HOST:PORT of a broker");
const connection = await Connection.open({
  address,
  clientId: "golden",
  requestTimeoutMs: 10_000,
  env: createHostEnv(),
});
await connection.requestAt(createTopics, 7, {
  topics: TOPICS.map(([name, value]) => ({
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [{ name: "cleanup.policy", value }],
  })),
  timeoutMs: 10_000,
});
// The broker hears of its topics a moment after they are made.
for (const [name] of TOPICS) {
  for (let isKnown = false; !isKnown;) {
    const { topics } = await connection.requestAt(listOffsets, 8, {
      replicaId: -1,
      topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    });
    isKnown = topics[0]?.partitions[0]?.errorCode === 0;
  }
}
const batch = new BatchBuilder({ bytesMax: 1000, compressionType: "none" });
for (const value of RECORDS) {
  batch.append({ key: null, value: bytesOf(value), timestamp: Date.now() });
}
const records = batch.finish({}, { crc32c: crc32cTables, compress: (_type, bytes) => bytes });
await connection.requestAt(produce, 9, {
  transactionalId: null,
  acks: -1,
  timeoutMs: 5000,
  topicData: [{ name: "plain", partitionData: [{ index: 0, records }] }],
});
const answers = await exchange({
  ask: (api, version, body) => connection.requestAt(api, version, body),
});
console.log(`[\n${answers.map((answer) => JSON.stringify(answer)).join(",\n")}\n]`);
process.exit(0);
