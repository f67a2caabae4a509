/**
 * What a producer feels of the log cleaner: latencies of single acknowledged records (acks=all, one at a
 * time) to a broker at rest, and to the same broker while it compacts a large topic.
 *
 *     bun test/bench/produce_while_cleaning.ts [MEGABYTES]        1000
 *
 * The cleaner begins 15 seconds after the broker: what was measured before is the rest.
 */
import process from "node:process";
import { type Client, connect, createHostEnv, parseAddress } from "../../src/mod.ts";
import { type BrokerOptions, startBroker } from "../harness/broker.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";

const megabytes = Number(process.argv[2] ?? 1000);
const RECORD_BYTES = 1000;
const KEYS = 200_000;
const SETTINGS = ["log.cleaner.backoff.ms=1000", "mq.scrub.interval.ms=0"];
const TOPICS = { "quorum-fsync": "fsynced", "memory": "in-memory" } as const;

using directory = temporaryDirectory();
await fill();
await measure();

async function fill(): Promise<void> {
  await using broker = await startBroker(options("log.cleaner.enable=false"));
  const client = await dial(broker.kafka);
  const { admin } = client;
  const configs = {
    "cleanup.policy": "compact",
    "segment.bytes": String(100 << 20),
    "mq.durability": "memory",
  };
  await admin.createTopics([{ name: "big", partitions: 1, configs }]);
  for (const [durability, name] of Object.entries(TOPICS)) {
    const own = { "mq.durability": durability };
    await admin.createTopics([{ name, partitions: 1, configs: own }]);
  }
  const producer = client.producer({ lingerMs: 5 });
  const value = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
  for (let index = 0; index < megabytes * 1000; index++) {
    const key = new TextEncoder().encode(`key-${(index * 7919) % KEYS}`);
    const full = producer.append("big", { key, value }, () => {});
    if (full !== undefined) await full;
  }
  await producer.flush();
  await client[Symbol.asyncDispose]();
  await broker.stop();
}

async function measure(): Promise<void> {
  await using broker = await startBroker(options("log.cleaner.enable=true"));
  const client = await dial(broker.kafka);
  const latencies: { readonly topic: string; readonly ms: number; readonly isCleaning: boolean }[] =
    [];
  let isOver = false;
  let isCleaning = false;
  const watch = async (): Promise<void> => {
    let cpuSeconds = 0;
    while (!isOver) {
      const text = await (await fetch(`${broker.http}/metrics`)).text();
      const read = (name: string): number =>
        Number(new RegExp(`^${name}(?:{.*})? (\\S+)`, "m").exec(text)?.[1] ?? 0);
      cpuSeconds = read("process_cpu_seconds_total");
      if (read("mq_cleaner_runs_total") > 0) isOver = true;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    console.log(`broker CPU ${cpuSeconds} s`);
  };
  const startMs = performance.now();
  const load = async (topic: string): Promise<void> => {
    const producer = client.producer({ lingerMs: 0 });
    const value = new Uint8Array(RECORD_BYTES);
    while (!isOver) {
      const beginMs = performance.now();
      isCleaning = beginMs - startMs > 15_000;
      const isRest = beginMs - startMs < 14_500;
      await new Promise<void>((resolve) => {
        void producer.append(topic, { key: null, value }, () => resolve());
      });
      const ms = performance.now() - beginMs;
      if (isCleaning || isRest) latencies.push({ topic, ms, isCleaning });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  await Promise.all([watch(), ...Object.values(TOPICS).map(load)]);
  console.log(`cleaned for ${((performance.now() - startMs) / 1000 - 15).toFixed(1)} s at most`);
  for (const topic of Object.values(TOPICS)) {
    for (const cleaning of [false, true]) {
      const all = latencies.filter((each) => each.topic === topic && each.isCleaning === cleaning)
        .map(({ ms }) => ms).sort((left, right) => left - right);
      const at = (part: number): string => (all[Math.floor(all.length * part)] ?? 0).toFixed(2);
      console.log(
        `${topic.padEnd(10)} ${cleaning ? "cleaning" : "at rest "} ` +
          `p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} max ${at(0.99999)} ms of ${all.length}`,
      );
    }
  }
  await client[Symbol.asyncDispose]();
}

function dial(kafka: string): Promise<Client> {
  const address = parseAddress(kafka);
  if (address === undefined) throw new Error(`Cannot read ${kafka}`);
  return connect({ brokers: [address], env: createHostEnv() });
}

function options(setting: string): BrokerOptions {
  const words = [...SETTINGS, setting].flatMap((each) => ["-X", each]);
  return { fromSource: true, dataDirectory: directory.path, words };
}
