/**
 * Bends good batches in every way that matters and lets Kafka judge them: run by hand, after
 * `KafkaBatches.java` is compiled.
 *
 *     bun test/golden/record/bend_batches.ts java -cp '/tmp/judge:LIBS/*' KafkaBatches judge \
 *       > test/golden/record/kafka_4_1_verdicts.json
 *
 * Where mq answers otherwise than Kafka, on purpose, its own answer stands beside Kafka's.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { createHostCompressors } from "../../../src/host/compressor.ts";
import { compressionTypes } from "../../../src/record/compression.ts";
import { batchOf, NOW, record, withField, withRecords } from "../../record/batches.ts";

interface Case {
  readonly name: string;
  readonly batch: Uint8Array;
  /** Where mq means to differ. */
  readonly ours?: string;
}

const good = batchOf([record("one"), record("two", { timestamp: NOW - 5 }), record(null)]);
const codecs = createHostCompressors();

function section(...bytes: readonly number[]): Uint8Array {
  return withRecords(withField(withField(good, 57, 4, 1), 23, 4, 0), Uint8Array.from(bytes));
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function withCodec(id: number, records: Uint8Array): Uint8Array {
  return withRecords(withField(good, 21, 2, id), records);
}

/** Header fields: at, width, value. */
const fields: readonly (readonly [string, number, 1 | 2 | 4, number, string?])[] = [
  ["base offset 1", 4, 4, 1],
  ["base offset negative", 0, 4, -1],
  ["leader epoch 9", 12, 4, 9],
  ["magic 0", 16, 1, 0, "INVALID_RECORD"],
  ["magic 1", 16, 1, 1],
  ["magic 3", 16, 1, 3],
  ["magic -1", 16, 1, -1],
  ["batch length one short", 8, 4, good.length - 13, "INVALID_RECORD"],
  ["batch length one long", 8, 4, good.length - 11],
  ["batch length 48", 8, 4, 48, "CORRUPT_MESSAGE"],
  ["batch length 13", 8, 4, 13],
  ["batch length 0", 8, 4, 0],
  ["batch length -1", 8, 4, -1],
  ["batch length 2^31 - 1", 8, 4, 0x7fffffff, "INVALID_RECORD"],
  ["codec 5", 21, 2, 5, "UNSUPPORTED_COMPRESSION_TYPE"],
  ["codec 7", 21, 2, 7, "UNSUPPORTED_COMPRESSION_TYPE"],
  ["codec gzip over plain records", 21, 2, 1, "CORRUPT_MESSAGE"],
  ["codec snappy over plain records", 21, 2, 2, "CORRUPT_MESSAGE"],
  ["codec lz4 over plain records", 21, 2, 3, "CORRUPT_MESSAGE"],
  ["codec zstd over plain records", 21, 2, 4, "CORRUPT_MESSAGE"],
  ["time type append", 21, 2, 8, "INVALID_TIMESTAMP"],
  ["transactional without producer", 21, 2, 16, "INVALID_RECORD"],
  ["control", 21, 2, 32],
  ["delete horizon", 21, 2, 64],
  ["attributes of tomorrow", 21, 2, 0x7f80],
  ["last offset delta 0", 23, 4, 0],
  ["last offset delta 3", 23, 4, 3],
  ["last offset delta -1", 23, 4, -1],
  ["last offset delta 2^31 - 1", 23, 4, 0x7fffffff],
  ["record count 0", 57, 4, 0],
  ["record count 2", 57, 4, 2],
  ["record count 4", 57, 4, 4],
  ["record count -1", 57, 4, -1],
  ["record count 2^31 - 1", 57, 4, 0x7fffffff],
  ["greatest time too small", 39, 4, 0],
  ["greatest time far", 35, 4, 0x7fffffff],
  ["base time negative", 27, 4, -2],
  ["base time far", 27, 4, 0x7fffffff],
  ["producer id 0 without sequence", 43, 4, 0, "INVALID_RECORD"],
  ["producer id -2", 47, 4, -2],
  ["producer epoch without id", 51, 2, 3],
  ["sequence without id", 53, 4, 3],
];

/** A batch of one record: length, attributes, time delta, offset delta, key, value, headers. */
const single: readonly (readonly [string, readonly number[], string?])[] = [
  ["record", [12, 0, 0, 0, 1, 1, 0]],
  ["record attributes 255", [12, 255, 0, 0, 1, 1, 0]],
  ["record length negative", [1, 0, 0, 0, 1, 1, 0]],
  ["record length too small", [10, 0, 0, 0, 1, 1, 0]],
  ["record length too large", [14, 0, 0, 0, 1, 1, 0]],
  ["record length in two bytes", [0x8c, 0, 0, 0, 0, 1, 1, 0]],
  [
    "record length in six bytes",
    [0x8c, 0x80, 0x80, 0x80, 0x80, 0, 0, 0, 0, 1, 1, 0],
    "INVALID_RECORD",
  ],
  ["offset delta 1", [12, 0, 0, 2, 1, 1, 0], "INVALID_RECORD"],
  ["offset delta -1", [12, 0, 0, 1, 1, 1, 0], "INVALID_RECORD"],
  ["key length -2", [12, 0, 0, 0, 3, 1, 0], "INVALID_RECORD"],
  ["value length -2", [12, 0, 0, 0, 1, 3, 0], "INVALID_RECORD"],
  ["key longer than the record", [12, 0, 0, 0, 20, 1, 0]],
  ["value longer than the record", [12, 0, 0, 0, 1, 20, 0]],
  ["header count -1", [12, 0, 0, 0, 1, 1, 1]],
  ["header count 1 without header", [12, 0, 0, 0, 1, 1, 2]],
  ["header count 2^31 - 1", [20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0xf]],
  ["header", [18, 0, 0, 0, 1, 1, 2, 2, 65, 1]],
  ["header key null", [16, 0, 0, 0, 1, 1, 2, 1, 1]],
  ["header value length -2", [18, 0, 0, 0, 1, 1, 2, 2, 65, 3], "INVALID_RECORD"],
  ["header value too long", [18, 0, 0, 0, 1, 1, 2, 2, 65, 20]],
  ["time one hour ahead", [18, 0, 0x80, 0xba, 0xb7, 3, 0, 1, 1, 0]],
  ["time two hours ahead", [18, 0, 0x80, 0xf4, 0xee, 6, 0, 1, 1, 0]],
  ["nothing", []],
  ["a byte behind the record", [12, 0, 0, 0, 1, 1, 0, 0]],
  ["cut short", [12, 0, 0]],
];

const cases: Case[] = [
  { name: "good", batch: good },
  { name: "no bytes", batch: new Uint8Array(0) },
  { name: "header cut short", batch: good.subarray(0, 60) },
  { name: "last byte missing", batch: good.subarray(0, good.length - 1) },
  { name: "two batches", batch: joined(good, good) },
  {
    name: "a byte behind the batch",
    batch: joined(good, Uint8Array.of(0)),
    ours: "INVALID_RECORD",
  },
  {
    name: "good with a producer",
    batch: batchOf([record("a")], { producerId: 5, producerEpoch: 0, baseSequence: 0 }),
  },
  {
    name: "negative sequence",
    batch: batchOf([record("a")], { producerId: 5, producerEpoch: 0, baseSequence: -3 }),
  },
  {
    name: "negative producer epoch",
    batch: batchOf([record("a")], { producerId: 5, producerEpoch: -1, baseSequence: 0 }),
    ours: "INVALID_RECORD",
  },
  { name: "no time", batch: batchOf([record("a", { timestamp: -1 })]) },
  { name: "time before 1970", batch: batchOf([record("a"), record("b", { timestamp: -5 })]) },
  { name: "too large", batch: batchOf([record("x".repeat(100_000))]) },
  ...fields.map(([name, at, width, value, ours]) => ({
    name,
    batch: withField(good, at, width, value),
    ...(ours === undefined ? {} : { ours }),
  })),
  ...single.map(([name, bytes, ours]) => ({
    name,
    batch: section(...bytes),
    ...(ours === undefined ? {} : { ours }),
  })),
];

const crcOff = good.slice();
crcOff[60 + 5] = (crcOff[60 + 5] as number) ^ 1;
cases.push({ name: "CRC off", batch: crcOff });
for (const codec of compressionTypes) {
  if (codec === "none") continue;
  const id = compressionTypes.indexOf(codec);
  const packed = codecs[codec].compress(good.subarray(61));
  cases.push(
    { name: `${codec}`, batch: withCodec(id, packed) },
    {
      name: `${codec} of one record too few`,
      batch: withField(withField(withCodec(id, packed), 57, 4, 4), 23, 4, 3),
    },
    {
      name: `${codec} of one record too many`,
      batch: withField(withField(withCodec(id, packed), 57, 4, 2), 23, 4, 1),
    },
    {
      name: `${codec} cut short`,
      batch: withCodec(id, packed.subarray(0, packed.length - 9)),
      ours: "CORRUPT_MESSAGE",
    },
    {
      name: `${codec} of nothing`,
      batch: withCodec(id, new Uint8Array(0)),
      ours: codec === "zstd" || codec === "lz4" ? "INVALID_RECORD" : "CORRUPT_MESSAGE",
    },
    {
      name: `${codec} of a bad offset delta`,
      batch: withCodec(
        id,
        codecs[codec].compress(
          Uint8Array.of(12, 0, 0, 0, 1, 1, 0, 12, 0, 0, 0, 1, 1, 0, 12, 0, 0, 0, 1, 1, 0),
        ),
      ),
      ours: "INVALID_RECORD",
    },
  );
}

const [command, ...commandArguments] = process.argv.slice(2);
const judged = spawnSync(command as string, commandArguments, {
  input: cases.map(({ batch }) => `${Buffer.from(batch).toString("base64")}\n`).join(""),
  maxBuffer: 1 << 26,
});
const verdicts = judged.stdout.toString().trim().split("\n");
const lines = cases.map(({ name, batch, ours }, index) => {
  const verdict = (verdicts[index] as string).replace(" rewritten", "");
  return JSON.stringify({
    name,
    batch: Buffer.from(batch).toString("base64"),
    verdict,
    ...(ours === undefined || ours === verdict ? {} : { ours }),
  });
});
console.log(`[\n  ${lines.join(",\n  ")}\n]`);
