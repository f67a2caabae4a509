/**
 * Compaction against a simple model, with random histories: keys, tombstones, codecs, transactions,
 * idempotent producers, clocks, rolls, small maps (several passes), stops of every kind, and compactions
 * that are cut off at a random call of the disk.
 *
 * MQ_SEED and MQ_RUNS set what is tried; a failure prints the smallest history that fails.
 */
import process from "node:process";
import { expect, test } from "bun:test";
import fc from "fast-check";
import { OFFSET_SLOT_BYTES } from "../../../src/log/compaction/offset_map.ts";
import { DiskFault } from "../../../src/env/disk.ts";
import { seedOf } from "../../record/batches.ts";
import { CompactedLog, DELETE_RETENTION_MS, type KeyAndValue } from "./compacted_log.ts";

const SETTINGS = { segmentBytes: 600, indexIntervalBytes: 100 };
const PRODUCERS = 3;

type Step =
  | { readonly kind: "append"; readonly records: KeyAndValue[]; readonly codec: Codec }
  | { readonly kind: "idempotent"; readonly producer: number; readonly records: KeyAndValue[] }
  | { readonly kind: "transactional"; readonly producer: number; readonly records: KeyAndValue[] }
  | { readonly kind: "end"; readonly producer: number; readonly isCommit: boolean }
  | { readonly kind: "roll" }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "compact"; readonly slots: number }
  | { readonly kind: "cut-off"; readonly calls: number; readonly stop: "crash" | "kill" }
  | { readonly kind: "reopen"; readonly stop: Stop };

type Stop = "crash" | "loss" | "kill" | "close";

const codecs = ["none", "none", "gzip", "snappy", "lz4", "zstd"] as const;
type Codec = (typeof codecs)[number];

const record: fc.Arbitrary<KeyAndValue> = fc.tuple(
  fc.constantFrom("", "a", "b", "c", "d", "e", "a-much-longer-key"),
  fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant("") },
    { weight: 4, arbitrary: fc.string({ maxLength: 60 }) },
  ),
);
const records = fc.array(record, { minLength: 1, maxLength: 5 });
const producer = fc.nat(PRODUCERS - 1);
const slots = fc.constantFrom(2, 3, 4, 1000);
const stop = fc.constantFrom("crash" as const, "kill" as const);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      records,
      codec: fc.constantFrom(...codecs),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("idempotent" as const), producer, records }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("transactional" as const), producer, records }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("end" as const), producer, isCommit: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("roll" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("pass" as const),
      ms: fc.constantFrom(1, DELETE_RETENTION_MS - 1, DELETE_RETENTION_MS, 10_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("compact" as const), slots }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("cut-off" as const), calls: fc.nat(70), stop }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("reopen" as const),
      stop: fc.constantFrom<Stop[]>("crash", "loss", "kill", "close"),
    }),
  },
);

/** Producers of transactions are others than the idempotent ones, as their ids are in real life. */
function transactional(index: number): number {
  return 100 + index;
}

async function perform(log: CompactedLog, each: Step): Promise<void> {
  switch (each.kind) {
    case "append":
      return log.append(each.records, { codec: each.codec });
    case "idempotent":
      return log.append(each.records, { producerId: each.producer });
    case "transactional": {
      const producerId = transactional(each.producer);
      return log.append(each.records, { producerId, isTransactional: true });
    }
    case "end": {
      const producerId = transactional(each.producer);
      if (log.hasOpen(producerId)) log.end(producerId, each.isCommit);
      return;
    }
    case "roll":
      return log.roll();
    case "pass":
      return log.pass(each.ms);
    case "compact":
      await log.compact(each.slots * OFFSET_SLOT_BYTES);
      return;
    case "cut-off":
      return await cutOff(log, each.calls, each.stop);
    case "reopen":
      return await log.reopenAfter(each.stop);
  }
}

/** The machine or the process stops at the given call of the disk in a compaction. */
async function cutOff(log: CompactedLog, calls: number, how: "crash" | "kill"): Promise<void> {
  await log.fixture.log.sync();
  log.disk.stopAt = log.disk.callCount + calls;
  try {
    await log.compact();
  } catch (fault) {
    if (!(fault instanceof Error) || !fault.message.includes("stopped")) throw fault;
    expect(fault instanceof DiskFault || fault.name === "LogFault").toBeTrue();
  }
  log.fixture.log.closeNow();
  await log.reopenAfter(how);
}

test("compaction leaves what the model says, whatever happens", async () => {
  const seed = seedOf("compaction model");
  const numRuns = Number(process.env["MQ_RUNS"] ?? 150);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 45 }), async (steps) => {
      const log = await CompactedLog.open(SETTINGS);
      for (const each of steps) {
        await perform(log, each);
        if (each.kind === "append" || each.kind === "pass") continue;
        expect(await log.complaints()).toEqual([]);
      }
      log.roll();
      await log.compact();
      await log.reopenAfter("loss");
      expect(await log.complaints()).toEqual([]);
    }),
    { seed, numRuns },
  );
}, 120_000);
