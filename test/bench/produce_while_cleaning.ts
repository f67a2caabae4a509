/**
 * What a producer feels of the log cleaner: latencies of single acknowledged records (one at a time for
 * each durability) to a broker at rest, and to the same broker while it compacts a large topic.
 *
 *     bun test/bench/produce_while_cleaning.ts [MEGABYTES] [ROUNDS]        300 5
 *
 * Times at rest and of cleaning take turns: each round has a topic of its own, which becomes compacted
 * when its turn has come. The broker is the compiled binary (or MQ_BINARY). Where `taskset` is there,
 * the broker has one core and this process another. It is not a test, and not in `npm run bench`.
 */
import { spawnSync } from "node:child_process";
import os from "node:os";
import process from "node:process";
import { type Client, connect, createHostEnv, parseAddress } from "../../src/mod.ts";
import { type Broker, startBroker } from "../harness/broker.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { median } from "./report.ts";

const [megabytes = 300, rounds = 5] = process.argv.slice(2).map(Number);
const RECORD_BYTES = 1000;
const KEYS_OF_MEGABYTE = 200;
const REST_MS = 4000;
const POLL_MS = 100;
const PAUSE_MS = 2;
/** The cleaner has begun to run for the first time. */
const BEGUN_MS = 15_500;
const DURABILITIES = ["memory", "quorum-fsync"] as const;
const SETTINGS = ["log.cleaner.backoff.ms=100", "mq.scrub.interval.ms=0"];

type Phase = "rest" | "cleaning";

/** Latencies in the order of the rounds. */
const p99s = new Map<string, number[]>();
const p50s = new Map<string, number[]>();
const speeds: number[] = [];
let latencies = new Map<string, number[]>();

using directory = temporaryDirectory();
await fill();
await measure();
print();

async function fill(): Promise<void> {
  await using broker = await start();
  await using client = await dial(broker);
  for (const durability of DURABILITIES) {
    const configs = { "mq.durability": durability };
    await client.admin.createTopics([{ name: durability, partitions: 1, configs }]);
  }
  const producer = client.producer({ lingerMs: 5 });
  const value = crypto.getRandomValues(new Uint8Array(RECORD_BYTES));
  for (let round = 0; round < rounds; round++) {
    const configs = { "segment.bytes": String(100 << 20), "mq.durability": "memory" };
    await client.admin.createTopics([{ name: `big-${round}`, partitions: 1, configs }]);
    for (let index = 0; index < megabytes * 1000; index++) {
      const key = new TextEncoder().encode(
        `key-${(index * 7919) % (megabytes * KEYS_OF_MEGABYTE)}`,
      );
      const full = producer.append(`big-${round}`, { key, value }, () => {});
      if (full !== undefined) await full;
    }
    await producer.flush();
  }
  await broker.stop();
}

async function measure(): Promise<void> {
  await using broker = await start();
  pin(broker.process.pid, 0);
  pin(process.pid, 1);
  await using client = await dial(broker);
  let isOver = false;
  const load = async (topic: string): Promise<void> => {
    await using own = await dial(broker); // answers of one connection wait for each other
    const producer = own.producer({ lingerMs: 0 });
    const value = new Uint8Array(RECORD_BYTES);
    while (!isOver) {
      const beginMs = performance.now();
      const into = latencies;
      await producer.send(topic, { key: null, value });
      const ms = performance.now() - beginMs;
      const times = into.get(topic) ?? [];
      times.push(ms);
      into.set(topic, times);
      await sleep(PAUSE_MS);
    }
  };
  const loads = DURABILITIES.map(load);
  await sleep(BEGUN_MS);
  for (let round = 0; round < rounds; round++) {
    latencies = new Map();
    await sleep(REST_MS);
    take("rest");
    const runs = await metric(broker, "mq_cleaner_runs_total");
    const startMs = performance.now();
    const changes = [{ name: "cleanup.policy", operation: "set", value: "compact" }] as const;
    await client.admin.alterTopicConfigs([{ name: `big-${round}`, changes }]);
    latencies = new Map();
    while (await metric(broker, "mq_cleaner_runs_total") === runs) await sleep(POLL_MS);
    speeds.push(megabytes * 1000 / (performance.now() - startMs));
    take("cleaning");
  }
  isOver = true;
  await Promise.all(loads);
}

function take(phase: Phase): void {
  for (const [topic, times] of latencies) {
    const sorted = times.toSorted((left, right) => left - right);
    const key = `${topic} ${phase}`;
    const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? NaN;
    p50s.set(key, [...p50s.get(key) ?? [], at(0.5)]);
    p99s.set(key, [...p99s.get(key) ?? [], at(0.99)]);
  }
}

function print(): void {
  console.log(`compacted ${median(speeds).toFixed(0)} MB/s of the clock, load ${os.loadavg()[0]}`);
  for (const topic of DURABILITIES) {
    for (const phase of ["rest", "cleaning"] as const) {
      const those = p99s.get(`${topic} ${phase}`) ?? [];
      const p50 = median(p50s.get(`${topic} ${phase}`) ?? []);
      console.log(
        `${topic.padEnd(12)} ${phase.padEnd(8)} p50 ${p50.toFixed(2)} p99 ${
          median(those).toFixed(2)
        }` +
          ` ms (rounds: ${those.map((ms) => ms.toFixed(2)).join(" ")})`,
      );
    }
    const ratios = (p99s.get(`${topic} cleaning`) ?? []).map((ms, round) =>
      ms / (p99s.get(`${topic} rest`)?.[round] ?? NaN)
    );
    console.log(`${topic.padEnd(12)} p99 is ${median(ratios).toFixed(2)} times that at rest`);
  }
}

async function metric(broker: Broker, name: string): Promise<number> {
  const text = await (await fetch(`${broker.http}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:{.*})? (\\S+)`, "m").exec(text)?.[1] ?? 0);
}

function pin(pid: number, core: number): void {
  if (os.availableParallelism() < 2) return;
  spawnSync("taskset", ["-a", "-c", "-p", String(core), String(pid)]); // left out where it is missing
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function dial({ kafka }: Broker): Promise<Client> {
  const address = parseAddress(kafka);
  if (address === undefined) throw new Error(`Cannot read ${kafka}`);
  return connect({ brokers: [address], env: createHostEnv() });
}

function start(): Promise<Broker> {
  const words = SETTINGS.flatMap((each) => ["-X", each]);
  return startBroker({ dataDirectory: directory.path, words });
}
