/**
 * A broker that rolls, retains, compacts and trims all the time is killed under load, again and again:
 * what was acknowledged is there, and nothing else has changed.
 *
 * `MQ_KILL_LIVES=200` lets it die so often.
 */
import { describe, expect, test } from "bun:test";
import process from "node:process";
import { mq } from "../harness/broker.ts";
import { Prng } from "../../src/ground/prng.ts";
import { turn } from "../harness/until.ts";
import { AckedProducer } from "./acked_producer.ts";
import { Lives } from "./lives.ts";

const LIFE_COUNT = Number(process.env["MQ_KILL_LIVES"] ?? 3);
const SEED = Number(process.env["MQ_SEED"] ?? 4);
const KEY_COUNT = 200;
const PADDING = "x".repeat(900);
/** More than that is on its way at no time: else a slow disk has ever more to write. */
const UNDERWAY_MAX = 500;
/** Acknowledged records of a life before the kill: enough for several segments of the smallest size. */
const ACKED_MIN = LIFE_COUNT > 20 ? 400 : 1200;

const BUSY_BACKGROUND = [
  "-X",
  "log.initial.task.delay.ms=150",
  "-X",
  "log.retention.check.interval.ms=150",
  "-X",
  "log.cleaner.backoff.ms=150",
  "-X",
  "log.segment.delete.delay.ms=50",
  "-X",
  "mq.background.flush.ms=300",
];

interface Line {
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

async function readLines(lives: Lives, topic: string): Promise<readonly Line[]> {
  const words = ["consume", topic, "-q", "-o", "start:end", "-f", "%o %k %v\\n"];
  const read = await mq(words, lives);
  expect(read.status, read.stderr).toBe(0);
  return new TextDecoder().decode(read.stdout).split("\n").slice(0, -1).map((line) => {
    const [offset = "", key = "", value = ""] = line.split(" ");
    return { offset: Number(offset), key, value };
  });
}

async function create(lives: Lives, topic: string, config: readonly string[]): Promise<void> {
  const words = config.flatMap((one) => ["-c", one]);
  const made = await mq(["topic", "create", topic, "-q", ...words], lives);
  expect(made.status, made.stderr).toBe(0);
}

/** Acknowledged records of one topic, by offset. */
class Written {
  readonly acked = new Map<number, { readonly key: string; readonly value: string }>();
  #next = 0;

  /** Appends until so many are acknowledged in this life. */
  async feed(producer: AckedProducer, chance: Prng, count: number): Promise<void> {
    const enough = this.acked.size + count;
    let underwayCount = 0;
    while (this.acked.size < enough) {
      for (; underwayCount < UNDERWAY_MAX; underwayCount++) {
        const key = `k${chance.below(KEY_COUNT)}`;
        const value = `${this.#next++}-${PADDING}`;
        producer.append(value, (offset) => {
          underwayCount--;
          this.acked.set(offset, { key, value });
        }, key);
      }
      // deno-lint-ignore no-await-in-loop -- a load, turn by turn
      await turn();
    }
  }
}

describe(`killed while the background is busy (MQ_SEED=${SEED})`, () => {
  for (const durability of ["quorum-fsync", "memory"]) {
    test(`what was acknowledged is there, ${durability}`, async () => {
      const chance = new Prng(SEED);
      await using lives = await Lives.begin([
        "-X",
        `mq.durability=${durability}`,
        ...BUSY_BACKGROUND,
      ]);
      const small = ["segment.bytes=1048576"];
      await create(lives, "plain", small);
      await create(lives, "compact", [
        ...small,
        "cleanup.policy=compact",
        "min.cleanable.dirty.ratio=0.01",
      ]);
      await create(lives, "short", [...small, "retention.bytes=3000000"]);
      const written = { plain: new Written(), compact: new Written(), short: new Written() };
      for (let life = 0; life < LIFE_COUNT; life++) {
        await Promise.all(
          Object.entries(written).map(async ([topic, one]) => {
            await using producer = await AckedProducer.connect(lives.kafka, topic);
            await one.feed(producer, chance.fork(), ACKED_MIN + chance.below(ACKED_MIN));
            producer.abandon();
          }),
        );
        await lives.end("SIGKILL");
        await lives.beginAgain();
      }
      checkPlain(await readLines(lives, "plain"), written.plain);
      checkCompact(await readLines(lives, "compact"), written.compact);
      checkShort(await readLines(lives, "short"), written.short);
    });
  }
});

/** Every record at its offset, and no offset left out. */
function checkPlain(lines: readonly Line[], { acked }: Written): void {
  expect(lines.every(({ offset }, at) => offset === at)).toBe(true);
  for (const [offset, { value }] of acked) expect(lines[offset]?.value).toBe(value);
}

/** The last value of every key, and offsets as they were. */
function checkCompact(lines: readonly Line[], { acked }: Written): void {
  const last = new Map<string, Line>();
  for (const line of lines) {
    const sent = acked.get(line.offset);
    if (sent !== undefined) expect([line.key, line.value]).toEqual([sent.key, sent.value]);
    last.set(line.key, line);
  }
  for (const [offset, { key, value }] of acked) {
    const found = last.get(key);
    expect(found === undefined ? -1 : found.offset).toBeGreaterThanOrEqual(offset);
    if (found?.offset === offset) expect(found.value).toBe(value);
  }
  expect(lines.length).toBeLessThan(acked.size);
}

/** The end of what was sent, without a hole. */
function checkShort(lines: readonly Line[], { acked }: Written): void {
  const first = lines[0]?.offset ?? 0;
  expect(lines.every(({ offset }, at) => offset === first + at)).toBe(true);
  expect(first).toBeGreaterThan(0);
  for (const [offset, { value }] of acked) {
    if (offset >= first) expect(lines[offset - first]?.value).toBe(value);
  }
  expect(Math.max(...acked.keys())).toBeLessThan(first + lines.length);
}
