/**
 * The broker that the conformance tests run against: the compiled binary.
 *
 * `MQ_CONFORM_BROKER=HOST:PORT` runs the same tests against a broker that is already there. Against
 * Apache Kafka they tell whether a test claims what Kafka does.
 */
import process from "node:process";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { Prng } from "../../src/ground/prng.ts";
import { startBroker } from "../harness/broker.ts";

process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";

export interface Subject extends AsyncDisposable {
  /** "host:port" */
  readonly kafka: string;
}

export const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type Codec = (typeof codecs)[number];

export async function startSubject(): Promise<Subject> {
  const there = process.env["MQ_CONFORM_BROKER"];
  if (there === undefined) return await startBroker({ words: ["-X", "num.partitions=1"] });
  return { kafka: there, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/**
 * The same with sessions of six seconds for the consumer protocol, whose length is the broker's to say.
 * A broker that is already there needs these settings too.
 */
export async function startGroupSubject(): Promise<Subject> {
  const there = process.env["MQ_CONFORM_BROKER"];
  if (there !== undefined) return await startSubject();
  const settings = [
    "group.consumer.min.session.timeout.ms=6000",
    "group.consumer.session.timeout.ms=6000",
    "group.consumer.min.heartbeat.interval.ms=500",
    "group.consumer.heartbeat.interval.ms=500",
    "group.initial.rebalance.delay.ms=0",
  ];
  return await startBroker({ words: settings.flatMap((setting) => ["-X", setting]) });
}

/** Whether the subject is the binary and not a foreign broker. */
export const isOwn = process.env["MQ_CONFORM_BROKER"] === undefined;

const run = crypto.randomUUID().slice(0, 8);
let topics = 0;

/** A name that no earlier run on the same broker has used. */
export function freshTopic(hint: string): string {
  topics++;
  return `conform-${hint}-${run}-${topics}`;
}

export function kafkajs(subject: Subject): Kafka {
  return new Kafka({ clientId: "kafkajs", brokers: [subject.kafka], logLevel: logLevel.NOTHING });
}

/** A refusal that kafkajs takes for passing is told after a second, not after its usual ten. */
const RETRIES = 2;

/** kafkajs' admin for the time of `use`. */
export async function withAdmin<T>(
  subject: Subject,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafkajs(subject).admin({ retry: { retries: RETRIES } });
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Makes a topic of one partition, so that order can be compared. */
export async function createTopic(subject: Subject, topic: string): Promise<void> {
  await withAdmin(
    subject,
    (admin) =>
      admin.createTopics({
        topics: [{ topic, numPartitions: 1, replicationFactor: 1 }],
        waitForLeaders: true,
      }),
  );
}

const SEED = Number(process.env["MQ_SEED"] ?? 20261122);

/** Lines of words, half of them repeated so that codecs have something to do; each ends in "\n". */
export function sampleLines(count: number): string {
  const prng = new Prng(SEED);
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const words: string[] = [];
    for (let left = prng.between(1, 12); left > 0; left--) {
      words.push(prng.oneIn(2) ? "ERROR größe" : prng.u32().toString(36));
    }
    lines.push(`${index} ${words.join(" ")}\n`);
  }
  return lines.join("");
}
