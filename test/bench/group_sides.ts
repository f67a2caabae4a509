/** One node of mq and one of Apache Kafka, with the same settings for groups, to take figures of. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { type Broker, startBroker } from "../harness/broker.ts";
import { run } from "../harness/process.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { kafkaHome, startKafkaCluster } from "./kafka_cluster.ts";

const SETTINGS = {
  "group.initial.rebalance.delay.ms": "0",
  "group.consumer.min.heartbeat.interval.ms": "500",
  "group.consumer.heartbeat.interval.ms": "500",
};

/** A broker of either kind that can be killed and started again. */
export interface Side {
  readonly who: string;
  address(): string;
  pid(): number;
  /** All that is resident; of a virtual machine what lives in its heap. */
  memoryBytes(): Promise<number>;
  kill(): Promise<void>;
  /** Resolves when it is ready, which may be later than it serves. */
  start(): Promise<void>;
}

export const starters: Readonly<
  Record<string, (stack: AsyncDisposableStack) => Promise<Side | undefined>>
> = { mq: startMq, kafka: startKafka };

async function startMq(stack: AsyncDisposableStack): Promise<Side> {
  const dataDirectory = stack.use(temporaryDirectory()).path;
  const words = Object.entries(SETTINGS).flatMap(([name, value]) => ["-X", `${name}=${value}`]);
  let broker: Broker = await startBroker({ words, dataDirectory });
  const { kafka: listen } = broker;
  stack.defer(() => broker[Symbol.asyncDispose]());
  return {
    who: "mq",
    address: () => listen,
    pid: () => broker.process.pid,
    memoryBytes: () => Promise.resolve(residentBytes(broker.process.pid)),
    kill: () => broker.kill(),
    start: async () => {
      broker = await startBroker({ words, dataDirectory, listen });
    },
  };
}

async function startKafka(stack: AsyncDisposableStack): Promise<Side | undefined> {
  const home = await kafkaHome();
  if (home === undefined) {
    process.stderr.write("Apache Kafka is not there: it is left out\n");
    return undefined;
  }
  const cluster = stack.use(await startKafkaCluster(home, 1, SETTINGS));
  const [node] = cluster.nodes;
  if (node === undefined) return undefined;
  return {
    who: "kafka",
    address: () => node.kafka,
    pid: () => node.pid,
    memoryBytes: () => liveHeapBytes(node.pid),
    kill: () => node.kill(),
    start: () => node.start(),
  };
}

function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? NaN) * 1024;
}

/** Of a Java process, behind a full collection, which the question brings with it. */
async function liveHeapBytes(pid: number): Promise<number> {
  const { text } = await run("jcmd", [String(pid), "GC.class_histogram"]);
  return Number(/^Total\s+\d+\s+(\d+)/m.exec(text)?.[1] ?? NaN);
}
