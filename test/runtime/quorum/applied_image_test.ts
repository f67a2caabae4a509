import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { toMs, toOffset } from "../../../src/ground/numbers.ts";
import type { MetadataRecord } from "../../../src/metadata/record.ts";
import { BatchWalk } from "../../../src/record/batch_walk.ts";
import { AppliedImage } from "../../../src/runtime/quorum/applied_image.ts";
import { encodeRecords } from "../../../src/runtime/quorum/quorum_batches.ts";
import { TestCluster } from "./quorum_fixture.ts";

const RECORD: MetadataRecord = { kind: "no-op", version: 0 } as MetadataRecord;

/** Two batches of one record each. */
function walkOf(): BatchWalk {
  const batches = [0, 1].map((offset) =>
    encodeRecords(
      [RECORD],
      { baseOffset: toOffset(offset), term: 3, timestamp: toMs(0) },
      crc32cTables,
    )
  );
  const bytes = new Uint8Array(batches.reduce((sum, { length }) => sum + length, 0));
  bytes.set(batches[0] as Uint8Array);
  bytes.set(batches[1] as Uint8Array, batches[0]?.length ?? 0);
  return new BatchWalk(bytes);
}

async function feed(state: AppliedImage): Promise<void> {
  const walk = walkOf();
  // deno-lint-ignore no-await-in-loop -- one batch after the other
  while (walk.next()) await state.apply(walk.batch);
}

describe("AppliedImage", () => {
  test("apply() takes each batch once, from whichever of two sides has it first", async () => {
    const { clock } = new TestCluster(1);
    const state = new AppliedImage(clock);
    const told: number[] = [];
    state.onReplayed(async (_record, offset) => {
      await Promise.resolve();
      told.push(offset);
    });
    await Promise.all([feed(state), feed(state)]);
    expect(told).toEqual([0, 1]);
    expect([state.appliedOffset, state.lastTerm]).toEqual([toOffset(2), 3]);
  });
});
