/**
 * A file goes through `mq produce` and `mq consume`, and kcat on either side, and comes out byte by
 * byte the same: with each codec, through one partition and through three.
 *
 * `MQ_BIG_BYTES=104857600` runs it with a file of that size and prints how long each way took.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Broker, mq, program, startBroker } from "../harness/broker.ts";
import { hasTool, run } from "../harness/process.ts";
import { type TemporaryDirectory, temporaryDirectory } from "../harness/temporary_directory.ts";
import { firstDifference, mergeNumbered } from "./lines.ts";
import { numberLines, sampleText } from "./sample_text.ts";

const CI_BYTES = 5_000_000;
const BYTES = Number(process.env["MQ_BIG_BYTES"] ?? CI_BYTES);
const KEYED_BYTES = BYTES === CI_BYTES ? 2_000_000 : BYTES;
const TIMEOUT_MS = 60_000 + BYTES / 500;
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
/** With the small file two are enough for what the codecs alone have shown. */
const KCAT_CODECS = BYTES === CI_BYTES ? (["none", "zstd"] as const) : CODECS;
const PARTITIONS = [0, 1, 2];
/** It checks checksums, and does not wait half a second to learn that a partition has ended. */
const KCAT = "-X check.crcs=true -X fetch.wait.max.ms=10";
const kcatTest = test.skipIf(!(await hasTool("kcat")));

let broker: Broker;
let directory: TemporaryDirectory;
/** As it is, and with a number before each line. */
let plainFile: string;
let numberedFile: string;
/** The numbered lines, or the first of them, for three partitions. */
let keyedFile: string;
/** What comes out: the same, the last line closed. */
let plain: Uint8Array;
let numbered: Uint8Array;
let keyed: Uint8Array;

beforeAll(async () => {
  directory = temporaryDirectory();
  plainFile = join(directory.path, "plain");
  numberedFile = join(directory.path, "numbered");
  const text = sampleText(BYTES);
  writeFileSync(plainFile, text);
  keyedFile = join(directory.path, "keyed");
  writeFileSync(numberedFile, numberLines(text));
  writeFileSync(keyedFile, numberLines(text.subarray(0, KEYED_BYTES)));
  plain = closed(text);
  numbered = closed(readFileSync(numberedFile));
  keyed = closed(readFileSync(keyedFile));
  broker = await startBroker({ words: ["-X", "auto.create.topics.enable=false"] });
});

afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

function closed(text: Uint8Array): Uint8Array {
  const whole = new Uint8Array(text.length + 1).fill(10);
  whole.set(text);
  return whole;
}

async function createTopic(topic: string, partitions: number): Promise<void> {
  const result = await mq(["topic", "create", topic, "-p", String(partitions), "-q"], broker);
  expect(result.status, result.stderr).toBe(0);
}

/** Runs a line of shell, with $MQ for the program and $B for the broker; gives what it wrote. */
async function shell(what: string, script: string): Promise<Uint8Array> {
  const out = join(directory.path, "out");
  const env = { MQ: program()[0], B: broker.kafka, MQ_BROKERS: broker.kafka };
  const before = performance.now();
  // Through a file: a pipe into this process would measure and load this process.
  const words = ["-o", "pipefail", "-c", `{ ${script}; } > "$0"`, out];
  const result = await run("bash", words, { env, timeoutMs: TIMEOUT_MS });
  expect(result.status, result.stderr).toBe(0);
  expect(result.stderr).toBe("");
  if (BYTES !== CI_BYTES) {
    const ms = performance.now() - before;
    const speed = BYTES / ms / 1000;
    process.stderr.write(`${what.padEnd(40)} ${ms.toFixed(0)} ms ${speed.toFixed(0)} MB/s\n`);
  }
  return readFileSync(out);
}

/** Each partition by itself, keys and all. */
async function partitionsOf(topic: string, by: "mq" | "kcat"): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (const partition of PARTITIONS) {
    const script = by === "mq"
      ? `"$MQ" consume ${topic} -q -p ${partition} -o start:end -f '%k:%v\\n'`
      : `kcat -b "$B" -C -t ${topic} -p ${partition} -o beginning -e -q -K: ${KCAT}`;
    parts.push(await shell(`${by} consume ${topic} -p ${partition}`, script));
  }
  return parts;
}

describe("one partition", () => {
  for (const codec of CODECS) {
    test(`mq gets back the bytes that it produced with ${codec}`, async () => {
      const topic = `mq-${codec}`;
      await createTopic(topic, 1);
      await shell(`mq produce ${codec}`, `"$MQ" produce ${topic} -z ${codec} -q < ${plainFile}`);
      const back = await shell(`mq consume ${codec}`, `"$MQ" consume ${topic} -q -o start:end`);
      expect(firstDifference(back, plain)).toBeUndefined();
    });

    kcatTest(`kcat gets back the bytes that mq produced with ${codec}`, async () => {
      const script = `kcat -b "$B" -C -t mq-${codec} -e -q -D '\\n' ${KCAT}`;
      const back = await shell(`kcat consume ${codec}`, script);
      expect(firstDifference(back, plain)).toBeUndefined();
    });

    kcatTest(`mq gets back the bytes that kcat produced with ${codec}`, async () => {
      const topic = `kcat-${codec}`;
      await createTopic(topic, 1);
      // kcat leaves out empty lines, so the numbered ones are what it sends whole.
      const produce = `kcat -b "$B" -P -t ${topic} -z ${codec} -l ${numberedFile}`;
      await shell(`kcat produce ${codec}`, produce);
      const back = await shell(
        `mq consume what kcat produced ${codec}`,
        `"$MQ" consume ${topic} -q -o start:end`,
      );
      expect(firstDifference(back, numbered)).toBeUndefined();
    });
  }
});

describe("three partitions", () => {
  for (const codec of CODECS) {
    test(`keep order and bytes by key with ${codec}`, async () => {
      const topic = `mq3-${codec}`;
      await createTopic(topic, 3);
      const produce = `"$MQ" produce ${topic} -q -K : -z ${codec} < ${keyedFile}`;
      await shell(`mq produce -K ${codec}`, produce);
      const parts = await partitionsOf(topic, "mq");
      for (const part of parts) expect(part.length).toBeGreaterThan(0);
      expect(firstDifference(mergeNumbered(parts), keyed)).toBeUndefined();
    });
  }

  for (const codec of KCAT_CODECS) {
    kcatTest(
      `are the same, partition by partition, for kcat's producer with ${codec}`,
      async () => {
        const topic = `kcat3-${codec}`;
        await createTopic(topic, 3);
        const partitioner = "-X topic.partitioner=murmur2_random";
        const produce =
          `kcat -b "$B" -P -t ${topic} -K: -z ${codec} ${partitioner} -l ${keyedFile}`;
        await shell(`kcat produce -K ${codec}`, produce);
        const fromKcat = await partitionsOf(topic, "mq");
        const fromMq = await partitionsOf(`mq3-${codec}`, "kcat");
        for (const partition of PARTITIONS) {
          const got = fromKcat[partition] as Uint8Array;
          expect(firstDifference(got, fromMq[partition] as Uint8Array)).toBeUndefined();
        }
      },
    );
  }

  test("keep order and bytes without keys, in whatever partition", async () => {
    await createTopic("sticky", 3);
    await shell("mq produce sticky", `"$MQ" produce sticky -q < ${keyedFile}`);
    const parts: Uint8Array[] = [];
    for (const partition of PARTITIONS) {
      const script = `"$MQ" consume sticky -q -p ${partition} -o start:end`;
      parts.push(await shell(`mq consume sticky -p ${partition}`, script));
    }
    expect(firstDifference(mergeNumbered(parts), keyed)).toBeUndefined();
  });
});
