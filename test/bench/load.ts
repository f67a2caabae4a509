/**
 * The same load on mq and on another broker, in turn, by librdkafka's rdkafka_performance.
 *
 *     MQ_BENCH_LOADER=/path/to/rdkafka_performance     without it this part is left out
 *     MQ_BENCH_KAFKA=HOST:PORT:PID                     Apache Kafka, started beforehand
 *     MQ_BENCH_RECORDS=1000000  MQ_BENCH_ROUNDS=3
 *
 * Records of 1 kB in batches of 64 KiB. Printed are throughput and the broker's CPU seconds per GB,
 * the medians of the rounds; the rounds alternate so that a noisy machine is noisy for both.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { mq, startBroker } from "../harness/broker.ts";
import { run } from "../harness/process.ts";
import { median, report } from "./report.ts";

const RECORDS = Number(process.env["MQ_BENCH_RECORDS"] ?? 1_000_000);
const ROUNDS = Number(process.env["MQ_BENCH_ROUNDS"] ?? 3);
const RECORD_BYTES = 1000;
const TICKS_A_SECOND = 100; // USER_HZ, fixed on Linux
const LONG_MS = 600_000;
const PRODUCER =
  "-X queue.buffering.max.messages=500000 -X queue.buffering.max.kbytes=262144 -X linger.ms=5 -X batch.size=65536";

interface Side {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
  /** Settings of the topics. */
  readonly settings: readonly string[];
}

interface Case {
  readonly name: string;
  readonly words: string;
}

const cases: readonly Case[] = [
  { name: "produce 1 kB, acks=1", words: `-P -a 1 ${PRODUCER}` },
  { name: "produce 1 kB, acks=all", words: `-P -a -1 ${PRODUCER}` },
  { name: "consume 1 kB", words: "-C -p 0 -o beginning -X fetch.message.max.bytes=1048576" },
];

export async function benchLoad(): Promise<void> {
  const loader = process.env["MQ_BENCH_LOADER"];
  if (loader === undefined) {
    report("load by rdkafka_performance", "-", "left out: MQ_BENCH_LOADER is not set");
    return;
  }
  await using broker = await startBroker();
  const own = { address: broker.kafka, pid: broker.process.pid };
  const sides: Side[] = [
    { ...own, name: "mq memory", settings: ["-c", "mq.durability=memory"] },
    { ...own, name: "mq quorum-fsync", settings: ["-c", "mq.durability=quorum-fsync"] },
    ...kafkaSide(),
  ];
  const figures = new Map<string, Figure[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of sides) {
      const topic = `load-${round}-${side.name.replaceAll(" ", "-")}-${process.pid}`;
      await mq(["topic", "create", topic, "-p", "1", ...side.settings], { kafka: side.address });
      for (const each of cases) {
        const key = `${each.name}|${side.name}`;
        const figure = await measure(loader, each, side, topic);
        figures.set(key, [...figures.get(key) ?? [], figure]);
      }
    }
  }
  for (const each of cases) {
    for (const side of sides) {
      const those = figures.get(`${each.name}|${side.name}`) ?? [];
      const speed = median(those.map(({ megabytes }) => megabytes)).toFixed(0);
      const cost = median(those.map(({ cpuSecondsPerGb }) => cpuSecondsPerGb)).toFixed(2);
      report(each.name, side.name, `${speed} MB/s, ${cost} CPU s/GB`);
    }
  }
}

function kafkaSide(): readonly Side[] {
  const [host, port, pid] = (process.env["MQ_BENCH_KAFKA"] ?? "").split(":");
  if (host === undefined || port === undefined || pid === undefined) return [];
  return [{ name: "kafka", address: `${host}:${port}`, pid: Number(pid), settings: [] }];
}

interface Figure {
  readonly megabytes: number;
  readonly cpuSecondsPerGb: number;
}

async function measure(loader: string, each: Case, side: Side, topic: string): Promise<Figure> {
  const place = ["-b", side.address, "-t", topic, "-c", String(RECORDS), "-q"];
  const size = each.words.startsWith("-P") ? ["-s", String(RECORD_BYTES)] : [];
  const cpuBefore = cpuSeconds(side.pid);
  const start = performance.now();
  const words = [...each.words.split(" "), ...place, ...size];
  const ended = await run(loader, words, { timeoutMs: LONG_MS });
  if (ended.status !== 0) throw new Error(`Cannot measure ${each.name}: ${ended.stderr}`);
  const seconds = (performance.now() - start) / 1000;
  const bytes = RECORDS * RECORD_BYTES;
  return {
    megabytes: bytes / 1e6 / seconds,
    cpuSecondsPerGb: (cpuSeconds(side.pid) - cpuBefore) / (bytes / 1e9),
  };
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
