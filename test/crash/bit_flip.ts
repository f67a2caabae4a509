/**
 * Flips every bit of a data directory once, and reads everything that is in it.
 *
 *     bun test/crash/bit_flip.ts [--killed] [--sample N]
 *
 * Each flip must be harmless (all is as it was written) or detected (an error, a refusal, a report);
 * never a byte that was not written, never a missing record without a word. Files of partitions are
 * read through `Log`, those of the metadata log through `Log` and `MetadataQuorum`, all the others,
 * and a sample of all, by a whole broker. Each with the directory as a clean stop left it, and a kill.
 */
import process from "node:process";
import { Prng } from "../../src/ground/prng.ts";
import { seedOf } from "../log/log_fixture.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";
import { judgeBroker } from "./bit_flip_broker.ts";
import { type Image, makeImage, METADATA_DIRECTORY } from "./bit_flip_image.ts";
import { judgeLog, judgeMetadata, type Verdict } from "./bit_flip_log.ts";

/** A bit of a file, in one of the two images, and how it is read. */
interface Flip {
  readonly isClean: boolean;
  readonly path: string;
  readonly bit: number;
  readonly level: "log" | "metadata" | "broker";
}

export interface Tally {
  detected: number;
  harmless: number;
  readonly wrong: string[];
}

export async function judge(image: Image, flip: Flip): Promise<Verdict> {
  const disk = flip.isClean ? image.clean : image.unclean;
  if (flip.level === "broker") return await judgeBroker(image, disk, flip);
  if (flip.level === "metadata") return await judgeMetadata(image, disk, flip);
  return await judgeLog(image, disk, flip);
}

export function tally(): Tally {
  return { detected: 0, harmless: 0, wrong: [] };
}

export async function count(image: Image, flip: Flip, into: Tally): Promise<void> {
  const verdict = await judge(image, flip);
  if (verdict.kind === "wrong") {
    const { isClean, path, bit, level } = flip;
    const place = `${path} bit ${bit} (byte ${bit >> 3}), ${
      isClean ? "clean" : "killed"
    }, ${level}`;
    into.wrong.push(`${place}: ${verdict.reason}`);
  } else into[verdict.kind]++;
}

/** All files with their sizes in bits, and the level at which each is read. */
function* filesOf(
  disk: MemoryDisk,
): Generator<{ path: string; bits: number; level: Flip["level"] }> {
  for (const [path, { content }] of [...disk.files].sort()) {
    const isOfPartition = path.split("/").length > 3 && !path.endsWith("partition.metadata");
    const isMetadata = path.startsWith(METADATA_DIRECTORY);
    const level = !isOfPartition ? "broker" : isMetadata ? "metadata" : "log";
    yield { path, bits: content.length * 8, level };
  }
}

export function* everyFlip(image: Image, stops: readonly boolean[]): Generator<Flip> {
  for (const isClean of stops) {
    for (const { path, bits, level } of filesOf(isClean ? image.clean : image.unclean)) {
      for (let bit = 0; bit < bits; bit++) yield { isClean, path, bit, level };
    }
  }
}

/** Bits at random, the files weighed by their sizes; `level` where all are read at one. */
export function* sampleFlips(
  image: Image,
  random: Prng,
  { count, level }: { readonly count: number; readonly level?: Flip["level"] },
): Generator<Flip> {
  const files = [true, false].map((isClean) =>
    [
      ...filesOf(isClean ? image.clean : image.unclean),
    ].filter((file) => level === undefined || level === "broker" || file.level === level)
  );
  for (let index = 0; index < count; index++) {
    const isClean = index % 2 === 0;
    const list = files[isClean ? 0 : 1] ?? [];
    let at = random.below(list.reduce((sum, { bits }) => sum + bits, 0));
    for (const file of list) {
      if (at < file.bits) {
        yield { isClean, path: file.path, bit: at, level: level ?? file.level };
        break;
      }
      at -= file.bits;
    }
  }
}

const PROGRESS_EVERY = 20_000;
const BROKER_SAMPLE = 2000;

async function main(): Promise<void> {
  const random = new Prng(seedOf("bit flips"));
  const image = await makeImage();
  const sum = tally();
  const sampleAt = process.argv.indexOf("--sample");
  const sample = sampleAt < 0 ? undefined : Number(process.argv[sampleAt + 1]);
  const flips = sample === undefined
    ? everyFlip(image, process.argv.includes("--killed") ? [false] : [true, false])
    : sampleFlips(image, random, { count: sample });
  let done = 0;
  const run = async (all: Iterable<Flip>): Promise<void> => {
    for (const flip of all) {
      // deno-lint-ignore no-await-in-loop -- one directory after the other
      await count(image, flip, sum);
      if (++done % PROGRESS_EVERY === 0) console.log(lineOf(done, sum));
    }
  };
  await run(flips);
  await run(sampleFlips(image, random, { count: sample ?? BROKER_SAMPLE, level: "broker" }));
  for (const wrong of sum.wrong.slice(0, 50)) console.log(wrong);
  console.log(lineOf(done, sum));
  if (sum.wrong.length > 0) process.exitCode = 1;
}

function lineOf(done: number, { detected, harmless, wrong }: Tally): string {
  return `${done} flips: ${detected} detected, ${harmless} harmless, ` +
    `${wrong.length} wrong`;
}

if (import.meta.main) await main();
