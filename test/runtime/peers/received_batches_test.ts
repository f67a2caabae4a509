/** What a leader sends as batches, and what is refused of it. */
import { describe, expect, test } from "bun:test";
import { concat } from "../../../src/ground/concat.ts";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import {
  ATTRIBUTES_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  MAGIC_AT,
  RECORD_COUNT_AT,
} from "../../../src/record/format.ts";
import { entriesOf } from "../../../src/runtime/peers/received_batches.ts";
import {
  CONFIGURATION_TYPE,
  encodeConfiguration,
  encodeControl,
  encodeLeaderChange,
  encodeRecords,
} from "../../../src/runtime/quorum/quorum_batches.ts";
import { randomBytes } from "../../api/own/random_own.ts";
import { seedOf } from "../../wire/random_message.ts";
import { voterOf } from "./fake_node.ts";

const PLACE = { prevOffset: toOffset(10), prevTerm: 4, term: 6 };

function batch(baseOffset: number, term = 5, count = 3): Uint8Array {
  const record = { kind: "remove-topic", version: 0, topicId: ZERO_UUID } as const;
  const place = { baseOffset, term, timestamp: 1 };
  return encodeRecords(Array.from({ length: count }, () => record), place, crc32cTables);
}

/** Changes a batch, and makes its CRC right again. */
function bent(change: (view: DataView) => void): Uint8Array {
  const bytes = batch(10);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  change(view);
  view.setUint32(CRC_AT, crc32cTables(bytes.subarray(ATTRIBUTES_AT)));
  return bytes;
}

function reasonOf(records: Uint8Array): string {
  const found = entriesOf(records, PLACE, crc32cTables);
  return "reason" in found ? found.reason : "none";
}

describe("entriesOf()", () => {
  test("gives nothing for a heartbeat", () => {
    expect(entriesOf(new Uint8Array(0), PLACE, crc32cTables)).toEqual([]);
  });

  test("knows a leader's first entry and a configuration", () => {
    const configuration = {
      voters: [voterOf(1), voterOf(2)],
      outgoing: [voterOf(1)],
      learners: [voterOf(3)],
    };
    const place = { baseOffset: 10, term: 6, timestamp: 1 };
    const first = encodeLeaderChange(1, [1, 2], place, crc32cTables);
    const second = encodeConfiguration(configuration, { ...place, baseOffset: 11 }, crc32cTables);
    expect(entriesOf(concat([first, second]), PLACE, crc32cTables)).toEqual(
      [
        { baseOffset: 10, nextOffset: 11, term: 6, byteLength: first.length, isLeaderChange: true },
        { baseOffset: 11, nextOffset: 12, term: 6, byteLength: second.length, configuration },
      ] as unknown as Entry[],
    );
  });

  const refused: readonly (readonly [string, Uint8Array, string])[] = [
    ["a batch that begins too late", batch(11), "holes"],
    ["a batch that begins too early", batch(9), "holes"],
    ["a hole between two batches", concat([batch(10), batch(14)]), "holes"],
    ["the same batch twice", concat([batch(10), batch(10)]), "holes"],
    ["a batch that is not whole", batch(10).slice(0, -1), "holes"],
    ["half a header behind the last batch", concat([batch(10), batch(13).slice(0, 30)]), "holes"],
    ["a batch of an earlier term than the one before", batch(10, 3), "holes"],
    ["a batch of a later term than its leader's", batch(10, 7), "holes"],
    ["terms that go back", concat([batch(10, 6), batch(13, 5)]), "holes"],
    [
      "a last offset without a record",
      bent((view) => view.setInt32(LAST_OFFSET_DELTA_AT, 3)),
      "holes",
    ],
    ["fewer records than offsets", bent((view) => view.setInt32(RECORD_COUNT_AT, 2)), "holes"],
    ["more records than bytes", bent((view) => view.setInt32(RECORD_COUNT_AT, 9)), "corrupt"],
    ["another magic", bent((view) => view.setInt8(MAGIC_AT, 1)), "corrupt"],
    ["a compressed batch", bent((view) => view.setInt16(ATTRIBUTES_AT, 1)), "corrupt"],
    ["a length that no batch has", bent((view) => view.setInt32(8, -5)), "corrupt"],
    [
      "a control record of unknown type",
      encodeControl(
        [[99, new Uint8Array(0)]],
        { baseOffset: 10, term: 5, timestamp: 1 },
        crc32cTables,
      ),
      "corrupt",
    ],
    [
      "a configuration that only says that it is long",
      encodeControl(
        [[CONFIGURATION_TYPE, Uint8Array.of(0xdd, 0x0f, 0xff, 0xff, 0xff)]],
        { baseOffset: 10, term: 5, timestamp: 1 },
        crc32cTables,
      ),
      "corrupt",
    ],
  ];
  for (const [what, records, reason] of refused) {
    test(`refuses ${what}`, () => {
      expect(reasonOf(records)).toBe(reason);
    });
  }

  test("any bit that is turned is noticed, save in what no CRC covers", () => {
    const prng = new Prng(seedOf("entriesOf bits"));
    const whole = batch(10);
    for (let round = 0; round < 3000; round++) {
      const records = whole.slice();
      const at = prng.below(records.length);
      records[at] = (records[at] as number) ^ (1 << prng.below(8));
      const found = entriesOf(records, PLACE, crc32cTables);
      // Outside of the CRC: the term, which may be 4 to 6.
      if (!("reason" in found)) {
        expect([at, [4, 5, 6].includes(found[0]?.term ?? 0)]).toEqual([15, true]);
      }
    }
  });

  test("rubbish is refused, and nothing is thrown", () => {
    const prng = new Prng(seedOf("entriesOf rubbish"));
    for (let round = 0; round < 5000; round++) {
      const records = prng.oneIn(2) ? randomBytes(prng, 1 + prng.below(200)) : batch(10).slice();
      const count = prng.below(4);
      for (let turn = 0; turn <= count; turn++) {
        records[prng.below(records.length)] = prng.below(256);
      }
      if (prng.oneIn(2) && records.length > ATTRIBUTES_AT) {
        new DataView(records.buffer).setUint32(
          CRC_AT,
          crc32cTables(records.subarray(ATTRIBUTES_AT)),
        );
      }
      entriesOf(records, PLACE, crc32cTables);
    }
  });
});
