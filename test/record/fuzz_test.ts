/**
 * Mutated batches through validator and cursor: neither throws, both end, and what the validator takes
 * the cursor reads to the end.
 */
import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { compressionTypes } from "../../src/record/compression.ts";
import { CRC_AT, RECORDS_AT } from "../../src/record/format.ts";
import { RecordCursor } from "../../src/record/record_cursor.ts";
import { type BatchLimits, validateBatch } from "../../src/record/validate.ts";
import { batchOf, limits, randomRecord, seedOf, tools } from "./batches.ts";

const PLAIN_ROUNDS = 280_000;
const COMPRESSED_ROUNDS = 40_000;
const EDGES = [0, 1, 2, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff];
/** A mutated count of headers may not cost more than the batch has bytes. */
const INFLATED_BYTES_MAX = 64 * 1024;

/** The CRC is not the point here: the header's own is taken as computed. */
function toolsFor(batch: Uint8Array): typeof tools {
  const crc = batch.length < RECORDS_AT ? 0 : new BatchView(batch).crc();
  return { ...tools, crc32c: () => crc };
}

/** Changes one to four places; may cut the batch or lie about its length. */
function mutate(prng: Prng, batch: Uint8Array): Uint8Array {
  let bent = batch.slice();
  for (let count = prng.between(1, 4); count > 0; count--) {
    const at = prng.oneIn(3) ? prng.below(RECORDS_AT) : prng.below(bent.length);
    bent[at] = prng.oneIn(2) ? EDGES[prng.below(EDGES.length)] as number : prng.below(256);
  }
  if (prng.oneIn(8)) bent = bent.slice(0, prng.below(bent.length + 1));
  // Most keep a frame that fits, so that the mutation is met where it was made.
  if (bent.length >= RECORDS_AT && !prng.oneIn(8)) {
    const view = new DataView(bent.buffer);
    view.setInt32(8, bent.length - 12);
    if (!prng.oneIn(4)) view.setInt8(16, 2);
  }
  return bent;
}

function walkThrough(batch: Uint8Array, cursor: RecordCursor): number {
  const walk = new BatchWalk(batch);
  let read = 0;
  while (walk.next()) {
    cursor.open(walk.batch);
    while (cursor.next()) {
      read++;
      cursor.key();
      cursor.value();
      cursor.headers();
    }
  }
  return read;
}

function fuzz(prng: Prng, batch: Uint8Array, topic: BatchLimits): "valid" | "refused" {
  const outcome = validateBatch(batch, topic, toolsFor(batch));
  const cursor = new RecordCursor({
    decompress: tools.decompress,
    inflatedBytesMax: INFLATED_BYTES_MAX,
  });
  const read = walkThrough(batch, cursor);
  if (outcome.kind !== "valid") {
    if (!outcome.message.startsWith("Cannot append ")) throw new Error(outcome.message);
    return "refused";
  }
  if (cursor.failure !== undefined || read !== outcome.recordCount) {
    throw new Error(`the validator took what the cursor does not read: ${cursor.failure}`);
  }
  if (prng.oneIn(64)) expect(read).toBe(outcome.recordCount);
  return "valid";
}

describe("fuzz", () => {
  test(`validateBatch() and RecordCursor agree on ${PLAIN_ROUNDS} mutated batches`, () => {
    const prng = new Prng(seedOf("record fuzz"));
    const counts = { valid: 0, refused: 0 };
    let good = new Uint8Array(0);
    for (let round = 0; round < PLAIN_ROUNDS; round++) {
      if (round % 100 === 0) {
        const records = Array.from({ length: prng.between(1, 6) }, () => randomRecord(prng));
        good = batchOf(records, {
          producerId: prng.below(3) - 1,
          producerEpoch: 0,
          baseSequence: 0,
        })
          .slice();
      }
      const topic = {
        ...limits,
        isKeyRequired: prng.oneIn(4),
        inflatedBytesMax: INFLATED_BYTES_MAX,
      };
      counts[fuzz(prng, mutate(prng, good), topic)]++;
    }
    // Both ways are really gone.
    expect(counts.valid).toBeGreaterThan(PLAIN_ROUNDS / 100);
    expect(counts.refused).toBeGreaterThan(PLAIN_ROUNDS / 4);
  });

  test(`the codecs neither throw nor run away on ${COMPRESSED_ROUNDS} mutated batches`, () => {
    const prng = new Prng(seedOf("record fuzz"));
    const counts = { valid: 0, refused: 0 };
    for (const codec of compressionTypes) {
      if (codec === "none") continue;
      let good = new Uint8Array(0);
      for (let round = 0; round < COMPRESSED_ROUNDS / 4; round++) {
        if (round % 50 === 0) {
          const records = Array.from({ length: prng.between(1, 20) }, () => randomRecord(prng));
          good = batchOf(records, {}, codec).slice();
        }
        const topic = { ...limits, inflatedBytesMax: INFLATED_BYTES_MAX };
        const bent = mutate(prng, good);
        // Back to the codec itself, whatever became of the header.
        if (prng.oneIn(2) && bent.length > CRC_AT) {
          bent.set(good.subarray(CRC_AT, Math.min(RECORDS_AT, bent.length)), CRC_AT);
        }
        counts[fuzz(prng, bent, topic)]++;
      }
    }
    expect(counts.refused).toBeGreaterThan(COMPRESSED_ROUNDS / 4);
  });

  test("validateBatch() and BatchWalk() end on random bytes", () => {
    const prng = new Prng(seedOf("record fuzz"));
    for (let round = 0; round < 20_000; round++) {
      const bytes = prng.bytes(prng.below(200));
      expect(fuzz(prng, bytes, limits)).toBe("refused");
    }
  });
});
