import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { controlKeyOf, coordinatorEpochOf } from "../../src/record/control_record.ts";
import { validateBatch } from "../../src/record/validate.ts";
import table from "../golden/record/kafka_4_1_batches.json" with { type: "json" };
import verdicts from "../golden/record/kafka_4_1_verdicts.json" with { type: "json" };
import { bytesOfBase64, bytesOfText, cursorOver, limits, linesOf, tools } from "./batches.ts";

function batchNamed(name: string): Uint8Array {
  const found = table.find((each) => each.name === name);
  return bytesOfBase64((found as (typeof table)[number]).batch);
}

describe("batches written by Kafka 4.1", () => {
  for (const { name, batch, header, records, recordsCrc } of table) {
    test(`BatchView reads the header of "${name}"`, () => {
      const view = new BatchView(bytesOfBase64(batch));
      expect({
        baseOffset: view.baseOffset(),
        lastOffset: view.lastOffset(),
        partitionLeaderEpoch: view.partitionLeaderEpoch(),
        crc: view.crc(),
        compressionType: view.compressionType() as string,
        timestampType: view.timestampType() as string,
        isTransactional: view.isTransactional(),
        isControl: view.isControl(),
        maxTimestamp: view.maxTimestamp(),
        producerId: view.producerId(),
        producerEpoch: view.producerEpoch(),
        baseSequence: view.baseSequence(),
        lastSequence: view.lastSequence(),
        recordCount: view.recordCount(),
      }).toEqual(header);
      expect(view.computedCrc(crc32cTables)).toBe(header.crc);
    });

    test(`RecordCursor reads the records of "${name}"`, () => {
      const lines = linesOf(bytesOfBase64(batch));
      expect(lines).toHaveLength(header.recordCount);
      expect(lines.slice(0, records.length)).toEqual(records);
      expect(crc32cTables(bytesOfText(lines.join("")))).toBe(recordsCrc);
    });
  }

  test("validateBatch() takes what a Kafka producer sends", () => {
    const names = table.map(({ name }) => name).filter((name) => name.endsWith(" create"));
    expect(names).toHaveLength(9);
    for (const name of names) {
      expect(validateBatch(batchNamed(name), limits, tools).kind).toBe("valid");
    }
  });

  test("controlKeyOf() tells the end of a transaction", () => {
    for (const [name, controlType, epoch] of [["commit", "commit", 9], ["abort", "abort", 10]]) {
      const cursor = cursorOver(batchNamed(`control ${name}`));
      expect(cursor.next()).toBeTrue();
      expect(controlKeyOf(cursor.key())).toEqual({ version: 0, controlType });
      expect(coordinatorEpochOf(cursor.value())).toBe(epoch);
    }
  });

  test("controlKeyOf() tells a change of leader", () => {
    const cursor = cursorOver(batchNamed("control leader change"));
    expect(cursor.next()).toBeTrue();
    expect(controlKeyOf(cursor.key())).toEqual({ version: 0, controlType: "leader-change" });
  });
});

/** Kafka's error for each kind of refusal. */
const answers: Readonly<Record<string, string>> = {
  "corrupt": "CORRUPT_MESSAGE",
  "unsupported-version": "INVALID_RECORD",
  "unsupported-compression": "UNSUPPORTED_COMPRESSION_TYPE",
  "too-large": "MESSAGE_TOO_LARGE",
  "invalid-record": "INVALID_RECORD",
  "invalid-timestamp": "INVALID_TIMESTAMP",
};

describe("what Kafka 4.1 answers to bent batches", () => {
  for (const { name, batch, verdict, ours } of verdicts) {
    test(`validateBatch() answers "${name}" ${ours === undefined ? "as Kafka" : "in its own way"}`, () => {
      const outcome = validateBatch(bytesOfBase64(batch), { ...limits, bytesMax: 100_000 }, tools);
      const answer = outcome.kind === "valid"
        ? `NONE ${outcome.maxTimestamp}`
        : answers[outcome.kind] as string;
      expect(answer).toBe(ours ?? verdict);
    });
  }
});
