/**
 * The broker dies in the middle of producing, again and again, and is started on the same data: all
 * that was acknowledged is there, once and in order, and a producer that waits delivers the rest.
 *
 * `MQ_KILL_LIVES=50` lets it die so often in each test.
 */
import { describe, expect, test } from "bun:test";
import process from "node:process";
import { mq, program } from "../harness/broker.ts";
import { hasTool, start } from "../harness/process.ts";
import { AckedProducer } from "./acked_producer.ts";
import { firstDifference, mergeNumbered, numberedLines } from "./lines.ts";
import { type Death, Lives } from "./lives.ts";
import { turn, until } from "../harness/until.ts";

const LIFE_COUNT = Number(process.env["MQ_KILL_LIVES"] ?? 3);
const CHUNK_LINES = 20_000;
const DURABILITIES = ["memory", "quorum-fsync"] as const;
const kcatTest = test.skipIf(!(await hasTool("kcat")));

function brokerWords(durability: string): readonly string[] {
  return ["-X", `mq.durability=${durability}`];
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/**
 * Feeds a producing program chunk by chunk, and ends the broker once in each, when a part of it has
 * come to the log; then lets the program finish. Gives all that was fed.
 */
async function feedThroughDeaths(
  lives: Lives,
  words: readonly string[],
  options: { readonly death: Death; readonly watched: string },
): Promise<Uint8Array> {
  const [command = "", ...rest] = words;
  await using child = start(command, rest, { env: { MQ_BROKERS: lives.kafka, MQ_NO_INPUT: "1" } });
  const chunks: string[] = [];
  for (let life = 0; life < LIFE_COUNT; life++) {
    const before = lives.logBytes(options.watched);
    const chunk = numberedLines(1 + life * CHUNK_LINES, CHUNK_LINES);
    chunks.push(chunk);
    child.write(chunk);
    await until("a part is in the log", () => lives.logBytes(options.watched) > before);
    expect(await lives.end(options.death)).toBe(options.death === "SIGKILL" ? 137 : 0);
    await lives.beginAgain();
  }
  const last = numberedLines(1 + LIFE_COUNT * CHUNK_LINES, 10);
  chunks.push(last);
  child.writeAndEnd(last);
  expect(await child.ended, child.stderr()).toBe(0);
  return bytesOf(chunks.join(""));
}

describe("mq produce", () => {
  for (const durability of DURABILITIES) {
    for (const death of ["SIGKILL", "SIGTERM"] as const) {
      test(`delivers every line once through ${death}, ${durability}`, async () => {
        await using lives = await Lives.begin(brokerWords(durability));
        await lives.createTopic("t");
        const produce = [...program(), "produce", "t", "-q", "--linger", "0ms"];
        const fed = await feedThroughDeaths(lives, produce, { death, watched: "t-0" });
        expect(firstDifference(await lives.read("t"), fed)).toBeUndefined();
      });
    }

    test(`keeps each partition's order by key through SIGKILL, ${durability}`, async () => {
      await using lives = await Lives.begin(brokerWords(durability));
      await lives.createTopic("t", 3);
      const produce = [...program(), "produce", "t", "-q", "-K", ":", "-z", "lz4"];
      const fed = await feedThroughDeaths(lives, produce, { death: "SIGKILL", watched: "t-1" });
      const format = ["-o", "start:end", "-f", "%k:%v\\n"];
      const parts: Uint8Array[] = [];
      for (const partition of ["0", "1", "2"]) {
        parts.push((await mq(["consume", "t", "-q", "-p", partition, ...format], lives)).stdout);
      }
      expect(firstDifference(mergeNumbered(parts), fed)).toBeUndefined();
    });

    kcatTest(`kcat with idempotence does as well through SIGKILL, ${durability}`, async () => {
      await using lives = await Lives.begin(brokerWords(durability));
      await lives.createTopic("t");
      const patience = ["-E", "-X", "reconnect.backoff.max.ms=100", "-X", "retry.backoff.ms=50"];
      const idempotent = ["-X", "enable.idempotence=true", ...patience];
      const produce = ["kcat", "-b", lives.kafka, "-P", "-t", "t", ...idempotent];
      const fed = await feedThroughDeaths(lives, produce, { death: "SIGKILL", watched: "t-0" });
      expect(firstDifference(await lives.read("t"), fed)).toBeUndefined();
    });
  }
});

describe("mq consume", () => {
  test("that follows gives every line once while the broker dies", async () => {
    await using lives = await Lives.begin(brokerWords("quorum-fsync"));
    await lives.createTopic("t");
    const count = LIFE_COUNT * CHUNK_LINES + 10;
    const [command, ...first] = program();
    const words = [...first, "consume", "t", "-q", "-o", "start", "-n", String(count)];
    await using reader = start(command, words, { env: { MQ_BROKERS: lives.kafka } });
    const produce = [...program(), "produce", "t", "-q"];
    const fed = await feedThroughDeaths(lives, produce, { death: "SIGKILL", watched: "t-0" });
    expect(await reader.ended, reader.stderr()).toBe(0);
    expect(firstDifference(reader.stdout(), fed)).toBeUndefined();
  });
});

describe("what was acknowledged", () => {
  for (const durability of DURABILITIES) {
    test(`is at its offset after SIGKILL, once, ${durability}`, async () => {
      await using lives = await Lives.begin(brokerWords(durability));
      await lives.createTopic("t");
      const acked = new Map<number, string>();
      let next = 1;
      for (let life = 0; life < LIFE_COUNT; life++) {
        const enough = acked.size + 500;
        await using producer = await AckedProducer.connect(lives.kafka, "t");
        while (acked.size < enough) {
          for (let count = 0; count < 50; count++) {
            const text = `${next++}`;
            producer.append(text, (offset) => acked.set(offset, text));
          }
          await turn();
        }
        await lives.end("SIGKILL");
        producer.abandon();
        await lives.beginAgain();
      }
      const lines = new TextDecoder().decode(await lives.read("t")).split("\n").slice(0, -1);
      for (const [offset, text] of acked) expect(lines[offset]).toBe(text);
      expect(acked.size).toBeGreaterThanOrEqual(LIFE_COUNT * 500);
      const numbers = lines.map(Number); // what was on its way may be there, too, but once and in order
      expect(numbers.every((number, at) => at === 0 || number > (numbers[at - 1] as number))).toBe(
        true,
      );
    });
  }
});
