/**
 * What a start finds after a crash: a torn tail is cut with one line in the log, and a crash while
 * starting harms nothing.
 */
import { describe, expect, test } from "bun:test";
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { mq, program } from "../harness/broker.ts";
import { start } from "../harness/process.ts";
import { Prng } from "../../src/ground/prng.ts";
import { firstDifference, numberedLines } from "./lines.ts";
import { Lives } from "./lives.ts";
import { turn } from "./until.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 20261122);
const BATCH_LINES = 100;
const BATCHES = 3;
const CRASH_COUNT = 20;

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function produce(lives: Lives, input: string): Promise<void> {
  const produced = await mq(["produce", "t", "-q"], lives, { input });
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

describe(`a torn tail is cut, with one log line (seed ${SEED})`, () => {
  for (const { name, left, harm } of DAMAGES) {
    test(name, async () => {
      await using lives = await Lives.begin();
      await lives.createTopic("t");
      let lastBatchAt = 0;
      for (let batch = 0; batch < BATCHES; batch++) {
        lastBatchAt = lives.logBytes("t-0");
        await produce(lives, numberedLines(1 + batch * BATCH_LINES, BATCH_LINES));
      }
      await lives.end("SIGKILL");
      harm(lives.logFile("t-0"), lastBatchAt);
      await lives.beginAgain();
      expect(cutsOf(lives.log)).toHaveLength(1);
      expect(cutsOf(lives.log)[0]).toContain("t-0");
      const kept = numberedLines(1, left * BATCH_LINES);
      expect(firstDifference(await lives.read("t"), bytesOf(kept))).toBeUndefined();
      await produce(lives, "behind\n");
      await lives.end("SIGKILL");
      await lives.beginAgain();
      expect(cutsOf(lives.log)).toHaveLength(0);
      expect(firstDifference(await lives.read("t"), bytesOf(`${kept}behind\n`))).toBeUndefined();
    });
  }

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
