/**
 * What a start finds after a crash: a torn tail is cut with one line in the log, and a crash while
 * starting harms nothing.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { mq, program } from "../harness/broker.ts";
import { start } from "../harness/process.ts";
import type { Address } from "../../src/env/network.ts";
import { Prng } from "../../src/ground/prng.ts";
import { connect, createHostEnv, parseAddress } from "../../src/mod.ts";
import { firstDifference, numberedLines } from "./lines.ts";
import { Lives } from "./lives.ts";
import { turn } from "../harness/until.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 20261122);
const BATCH_LINES = 100;
const BATCHES = 3;
const CRASH_COUNT = 20;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function produce(lives: Lives, input: string, topic = "t"): Promise<void> {
  const produced = await mq(["produce", topic, "-q"], lives, { input });
  expect(produced.status, produced.stderr).toBe(0);
}

interface Damage {
  readonly name: string;
  /** Batches that are whole behind it. */
  readonly left: number;
  /** Given the file and the place of its last batch. */
  harm(path: string, lastBatchAt: number): void;
}

function lastBatch(path: string, lastBatchAt: number): Uint8Array {
  return readFileSync(path).subarray(lastBatchAt);
}

/** Overwrites bytes of the last batch. */
function garble(path: string, at: number, bytes: Uint8Array): void {
  const whole = readFileSync(path);
  whole.set(bytes, at);
  writeFileSync(path, whole);
}

/** A copy of the last batch as the one behind it would be, so that only its end is wrong. */
function nextBatch(path: string, lastBatchAt: number): Uint8Array {
  const batch = lastBatch(path, lastBatchAt).slice();
  const view = new DataView(batch.buffer);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(BATCH_LINES));
  return batch;
}

const DAMAGES: readonly Damage[] = [
  {
    name: "half of a batch behind the last",
    left: 3,
    harm: (path, at) => appendFileSync(path, nextBatch(path, at).subarray(0, 1000)),
  },
  {
    name: "half of a header behind the last",
    left: 3,
    harm: (path, at) => appendFileSync(path, nextBatch(path, at).subarray(0, 30)),
  },
  {
    name: "one byte behind the last",
    left: 3,
    harm: (path) => appendFileSync(path, Uint8Array.of(0)),
  },
  {
    name: "a batch behind the last whose end was not written",
    left: 3,
    harm: (path, at) => {
      const batch = nextBatch(path, at);
      appendFileSync(path, batch.fill(0, batch.length - 200));
    },
  },
  {
    name: "zeros behind the last",
    left: 3,
    harm: (path) => appendFileSync(path, new Uint8Array(8192)),
  },
  {
    name: "the last batch a second time",
    left: 3,
    harm: (path, at) => appendFileSync(path, lastBatch(path, at)),
  },
  {
    name: "garbage behind the last",
    left: 3,
    harm: (path) => appendFileSync(path, garbage(5000)),
  },
  {
    name: "the last batch cut short",
    left: 2,
    harm: (path) => truncateSync(path, readFileSync(path).length - 1),
  },
  {
    name: "garbled bytes in the last batch",
    left: 2,
    harm: (path, at) => garble(path, at + 500, garbage(100)),
  },
  {
    name: "a lying length in the last batch",
    left: 2,
    harm: (path, at) => garble(path, at + 8, Uint8Array.of(0x7f, 0xff, 0xff, 0xff)),
  },
];

function garbage(length: number): Uint8Array {
  const prng = new Prng(SEED);
  return Uint8Array.from({ length }, () => prng.between(0, 255));
}

function cutsOf(log: string): readonly string[] {
  return log.split("\n").filter((line) => line.includes("torn tail"));
}

/** Three batches for each topic, and where in its file the last one begins. */
async function produceBatches(
  lives: Lives,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const address = parseAddress(lives.kafka) as Address;
  await using client = await connect({ brokers: [address], env: createHostEnv() });
  await using producer = client.producer();
  const lastBatchAt = new Map<string, number>();
  for (let batch = 0; batch < BATCHES; batch++) {
    const lines = numberedLines(1 + batch * BATCH_LINES, BATCH_LINES).trimEnd().split("\n");
    for (const topic of topics) {
      lastBatchAt.set(topic, lives.logBytes(`${topic}-0`));
      for (const line of lines) void producer.append(topic, { key: null, value: bytesOf(line) });
    }
    await producer.flush();
  }
  return lastBatchAt;
}

/** What one life of the broker said and gave. */
interface Found {
  readonly cuts: readonly string[];
  readonly records: ReadonlyMap<string, Uint8Array>;
}

async function look(lives: Lives, topics: readonly string[]): Promise<Found> {
  const records = new Map<string, Uint8Array>();
  for (const topic of topics) records.set(topic, await lives.read(topic));
  return { cuts: cutsOf(lives.log), records };
}

describe(`a torn tail is cut, with one log line (seed ${SEED})`, () => {
  const topics = DAMAGES.map((_, index) => `damage-${index}`);
  let first: Found;
  let second: Found;

  beforeAll(async () => {
    await using lives = await Lives.begin();
    const lastBatchAt = await produceBatches(lives, topics);
    await lives.end("SIGKILL");
    for (const [index, { harm }] of DAMAGES.entries()) {
      const topic = topics[index] as string;
      harm(lives.logFile(`${topic}-0`), lastBatchAt.get(topic) as number);
    }
    await lives.beginAgain();
    first = await look(lives, topics);
    for (const topic of topics) await produce(lives, "behind\n", topic);
    await lives.end("SIGKILL");
    await lives.beginAgain();
    second = await look(lives, topics);
  });

  for (const [index, { name, left }] of DAMAGES.entries()) {
    test(name, () => {
      const topic = `damage-${index}`;
      expect(first.cuts.filter((line) => line.includes(`/${topic}-0/`))).toHaveLength(1);
      const kept = numberedLines(1, left * BATCH_LINES);
      const got = first.records.get(topic) as Uint8Array;
      expect(firstDifference(got, bytesOf(kept))).toBeUndefined();
      const gotAgain = second.records.get(topic) as Uint8Array;
      expect(firstDifference(gotAgain, bytesOf(`${kept}behind\n`))).toBeUndefined();
    });
  }

  test("and only once", () => {
    expect(second.cuts).toEqual([]);
  });

  test("in the log of the cluster's metadata", async () => {
    await using lives = await Lives.begin();
    await lives.createTopic("t");
    await produce(lives, "there\n");
    await lives.end("SIGKILL");
    appendFileSync(lives.logFile("__cluster_metadata-0"), garbage(300));
    await lives.beginAgain();
    expect(cutsOf(lives.log)).toHaveLength(1);
    await lives.createTopic("another");
    await lives.end("SIGKILL");
    await lives.beginAgain();
    expect((await mq(["topic", "list", "-f", "name"], lives)).text).toBe("another\nt\n");
    expect(await lives.read("t")).toEqual(bytesOf("there\n"));
  });
});

describe("a crash while starting", () => {
  test(`${CRASH_COUNT} times, earlier or later, harms nothing`, async () => {
    await using lives = await Lives.begin(["-X", "log.segment.bytes=1048576"]);
    await lives.createTopic("t");
    const lines = numberedLines(1, 100_000);
    await produce(lives, lines);
    await lives.end("SIGKILL");
    const [command, ...first] = program();
    const words = [...first, "broker", "start", "--listen", "127.0.0.1:0", "--http", "off"];
    words.push(
      "--data-dir",
      lives.dataDirectory,
      "--pid-file",
      join(lives.dataDirectory, "../pid"),
    );
    for (let crash = 0; crash < CRASH_COUNT; crash++) {
      await using child = start(command, words);
      // How far it has come by then is left to chance: between nothing and a broker that serves.
      for (let turns = 0; turns < crash * 4; turns++) await turn();
      child.kill("SIGKILL");
      expect(await child.ended).toBe(137);
    }
    await lives.beginAgain();
    expect(cutsOf(lives.log)).toHaveLength(0);
    expect(firstDifference(await lives.read("t"), bytesOf(lines))).toBeUndefined();
    expect(await lives.end("SIGTERM")).toBe(0);
    await lives.beginAgain();
    expect(firstDifference(await lives.read("t"), bytesOf(lines))).toBeUndefined();
  });

  test("and after it a clean stop's mark is not believed", async () => {
    await using lives = await Lives.begin();
    await lives.createTopic("t");
    await produce(lives, numberedLines(1, BATCH_LINES));
    expect(await lives.end("SIGTERM")).toBe(0);
    await lives.beginAgain(); // removes the mark
    await produce(lives, numberedLines(1 + BATCH_LINES, BATCH_LINES));
    await lives.end("SIGKILL");
    appendFileSync(lives.logFile("t-0"), new Uint8Array(100));
    await lives.beginAgain();
    expect(cutsOf(lives.log)).toHaveLength(1);
    const all = numberedLines(1, 2 * BATCH_LINES);
    expect(firstDifference(await lives.read("t"), bytesOf(all))).toBeUndefined();
  });
});
