/**
 * Input that no honest client sends, and what becomes of it: Kafka's error, or a closed connection
 * and one line in the log. After each the broker serves, and what was acknowledged before is there.
 *
 * The errors are those of Apache Kafka 4.1, which was sent the same bytes; where mq means to differ,
 * the row says so. Not here: random input (`dispatch_fuzz_test.ts`, `test/wire/fuzz_test.ts`), real
 * sockets (`test/conform/hostile_test.ts`). The file is long because its tables are.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { setImmediate } from "node:timers";
import zlib from "node:zlib";
import { ErrorCode } from "../../src/api/error_code.ts";
import { produce } from "../../src/api/produce.ts";
import { compressionIdOf, type CompressionType } from "../../src/record/compression.ts";
import * as batches from "../record/batches.ts";
import {
  batchOf,
  type Fixture,
  pageOf,
  type RawConnection,
  recordsOf,
  startBroker,
} from "./broker_fixture.ts";
import {
  createTopic,
  fetchFrom,
  PRODUCE_VERSION,
  produceBody,
  produceTo,
} from "./topic_requests.ts";

const FRAME_BYTES_MAX = 262_144;
const MESSAGE_BYTES_MAX = 100_000;
const INFLATED_BYTES_MAX = 1_048_576;
const KEPT = ["0:one", "1:two"];

let fixture: Fixture;
let eventsBefore = 0;

beforeEach(async () => {
  fixture = await startBroker({
    "socket.request.max.bytes": String(FRAME_BYTES_MAX),
    "mq.decompression.max.bytes": String(INFLATED_BYTES_MAX),
    "log.message.timestamp.after.max.ms": String(Number.MAX_SAFE_INTEGER),
  });
  const connection = await fixture.dial();
  await createTopic(connection, "kept", { "max.message.bytes": String(MESSAGE_BYTES_MAX) });
  await createTopic(connection, "compacted", { "cleanup.policy": "compact" });
  expect((await produceTo(connection, "kept", batchOf(["one", "two"]))).errorCode).toBe(0);
  await connection.close();
  eventsBefore = fixture.events.length;
});

/** Whatever came before: the broker is ready, holds what it acknowledged, and takes more. */
afterEach(async () => {
  const connection = await fixture.dial();
  expect(recordsOf((await fetchFrom(connection, "kept")).records)).toEqual(KEPT);
  const { errorCode, baseOffset } = await produceTo(connection, "kept", batchOf(["three"]));
  expect([errorCode, baseOffset]).toEqual([0, 2]);
  await connection.close();
  await fixture.clock.advance(2000);
  const { body } = pageOf(fixture, "/metrics");
  const gauges =
    /^(kafka_server_socketservermetrics_connection_count|mq_queued_request_bytes) .*$/gm;
  expect(body.match(gauges)).toEqual([
    "kafka_server_socketservermetrics_connection_count 0",
    "mq_queued_request_bytes 0",
  ]);
});

function newEvents(): readonly string[] {
  return fixture.events.slice(eventsBefore);
}

function int16(value: number): readonly number[] {
  return [(value >> 8) & 255, value & 255];
}

function int32(value: number): readonly number[] {
  return [...int16(value >> 16), ...int16(value)];
}

function ascii(text: string): readonly number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** A frame of a request without client id, correlation id 7; a body behind it. */
function request(key: number, version: number, ...body: readonly number[]): readonly number[] {
  const frame = [...int16(key), ...int16(version), ...int32(7), ...int16(-1), ...body];
  return [...int32(frame.length), ...frame];
}

const COMPACT_HUGE = [0xff, 0xff, 0xff, 0xff, 0x0f];
const API_VERSIONS = request(18, 0);

type BadStream = readonly [name: string, bytes: readonly number[], reason: RegExp];

const BAD_STREAMS: readonly BadStream[] = [
  ["length 0", int32(0), /length 0 is below 8/],
  ["length 7", [...int32(7), 0, 0, 0, 0, 0, 0, 0], /length 7 is below 8/],
  ["length -1", int32(-1), /length -1 is below 8/],
  ["length -2^31", int32(-(2 ** 31)), /length -2147483648 is below 8/],
  ["length 2^31 - 1", int32(2 ** 31 - 1), /length 2147483647 is over 262144/],
  ["length one over the limit", int32(FRAME_BYTES_MAX + 1), /length 262145 is over 262144/],
  ["an HTTP request", ascii("GET / HTTP/1.1\r\nHost: mq\r\n\r\n"), /an HTTP request/],
  ["a TLS handshake", [0x16, 3, 1, 0, 200, 1, 0, 0, 196], /a TLS handshake/],
  ["an SSH greeting", ascii("SSH-2.0-OpenSSH_9.9\r\n"), /length 1397966893 is over/],
  ["a PROXY line", ascii("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), /length \d+ is over/],
  ["garbage behind a request", [...API_VERSIONS, 0xde, 0xad, 0xbe, 0xef], /is below 8/],
  ["an unknown key", request(9999, 0), /API key 9999 is not served/],
  ["a negative key", request(-1, 0), /API key -1 is not served/],
  ["a key of brokers only", request(52, 0, 0, 0), /API key 52 is not served/],
  ["a key of mq's own", request(0x4006, 0), /a peer was refused not-a-peer/],
  ["a Hello of nothing", request(0x4000, 0), /a peer was refused garbage/],
  ["a version from the future", request(3, 99, 0), /Metadata version 99 is not served/],
  ["a version from the past", request(1, 3), /Fetch version 3 is not served/],
  ["a negative version", request(3, -1), /Metadata version -1 is not served/],
  ["a header that is cut off", [...int32(9), ...request(18, 0).slice(4, 13)], /bad request header/],
  ["a client id longer than the frame", [
    ...[...int32(10), ...int16(18), ...int16(0)],
    ...[...int32(7), ...int16(32_767)],
  ], /bad request header/],
  ["a body that is cut off", request(3, 1, 0, 0), /bad Metadata request, version 1/],
  ["a count of 2^31 - 1", request(3, 1, ...int32(2 ** 31 - 1)), /elements do not fit/],
  ["a compact count of 2^32 - 1", request(3, 9, 0, ...COMPACT_HUGE), /elements do not fit/],
  ["a null array where none may be", request(3, 0, ...int32(-1)), /is null/],
  [
    "a string longer than the frame",
    request(3, 1, ...int32(1), ...int16(500)),
    /bytes: 0 are left/,
  ],
  ["a varint of 6 bytes", request(3, 9, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0), /longer than 5 bytes/],
  ["2^32 - 1 tags", request(18, 3, ...COMPACT_HUGE), /tags/],
  ["a tag longer than the frame", request(18, 3, 1, 99, 0x7f), /bytes: 0 are left/],
];

describe("A stream that cannot be understood closes its connection with one line", () => {
  for (const [name, bytes, reason] of BAD_STREAMS) {
    test(name, async () => {
      const connection = await fixture.dial();
      await connection.sendBytes(Uint8Array.from(bytes));
      await fixture.clock.advance(2000);
      expect(connection.isClosed).toBeTrue();
      expect(newEvents()).toHaveLength(1);
      expect(newEvents()[0] ?? "").toMatch(/^warn (connection closed|a peer was refused) /);
      expect(newEvents()[0] ?? "").toMatch(reason);
    });
  }

  test("more elements than any client needs", async () => {
    const { broker, dial, clock, events } = await startBroker();
    const connection = await dial();
    const count = 110_000;
    const compactCount = [(count + 1) & 127 | 128, (count + 1) >> 7 & 127 | 128, (count + 1) >> 14];
    const head = request(3, 9, 0, ...compactCount);
    const frame = new Uint8Array(head.length + 2 * count); // then topics with empty names, no tags
    frame.set(head);
    for (let at = head.length; at < frame.length; at += 2) frame[at] = 1;
    frame.set(int32(frame.length - 4));
    await connection.sendBytes(frame);
    await clock.advance(2000);
    expect(connection.isClosed).toBeTrue();
    expect(events.at(-1) ?? "").toMatch(/110000 elements are too many/);
    broker.halt();
  });

  test("in whatever pieces it comes", async () => {
    fixture.network.pieceBytes = 1;
    const connection = await fixture.dial();
    await connection.sendBytes(Uint8Array.from([...API_VERSIONS, ...request(9999, 0)]));
    await fixture.clock.advance(2000);
    expect(connection.answerCount).toBe(1);
    expect(connection.isClosed).toBeTrue();
    expect(newEvents()).toHaveLength(1);
    fixture.network.pieceBytes = Infinity;
  });

  test("a frame that never ends costs nothing and tells nothing when its peer goes", async () => {
    const connection = await fixture.dial();
    await connection.sendBytes(Uint8Array.from([...int32(FRAME_BYTES_MAX), 0, 3]));
    await connection.close();
    expect(newEvents()).toEqual([]);
  });

  test("but ApiVersions of an unknown version is answered, so that a client can step down", async () => {
    for (const version of [-1, 99]) {
      const connection = await fixture.dial();
      await connection.sendBytes(Uint8Array.from(request(18, version, 0)));
      expect([connection.answerCount, connection.isClosed]).toEqual([1, false]);
      await connection.close();
    }
    expect(newEvents()).toEqual([]);
  });
});

const AT = { length: 8, magic: 16, attributes: 21, lastOffsetDelta: 23, count: 57 } as const;
const good = batches.batchOf([batches.record("a"), batches.record("b")]);
const idempotent = { producerId: 5, producerEpoch: 0, baseSequence: 0 };
const record = good.subarray(61, 61 + (good.length - 61) / 2);

function bent(field: keyof typeof AT, value: number): Uint8Array {
  const width = field === "magic" ? 1 : field === "attributes" ? 2 : 4;
  return batches.withField(good, AT[field], width, value);
}

function withoutCrc(): Uint8Array {
  const copy = good.slice();
  copy[copy.length - 2] = (copy[copy.length - 2] as number) ^ 1;
  return copy;
}

/** A batch of one record whose section is whatever bytes are said to be `codec`. */
function packed(codec: CompressionType, section: Uint8Array): Uint8Array {
  const batch = batches.withRecords(batches.batchOf([batches.record("a")]), section);
  return batches.withField(batch, AT.attributes, 2, compressionIdOf(codec));
}

function bomb(codec: CompressionType, inflatedBytes: number): Uint8Array {
  const zeros = { key: null, value: new Uint8Array(inflatedBytes), timestamp: batches.NOW };
  return batches.batchOf([zeros], {}, codec);
}

const gzipped = zlib.gzipSync(record);
const { CorruptMessage, InvalidRecord, MessageTooLarge, UnsupportedCompressionType } = ErrorCode;

type BadBatch = readonly [name: string, bytes: Uint8Array | null, errorCode: ErrorCode];

const BAD_BATCHES: readonly BadBatch[] = [
  ["no batch", null, InvalidRecord], // Kafka does not answer at all
  ["no bytes", new Uint8Array(0), InvalidRecord],
  ["ten bytes", new Uint8Array(10), InvalidRecord],
  ["a batch cut short", good.subarray(0, good.length - 1), InvalidRecord],
  ["magic 0", bent("magic", 0), InvalidRecord],
  ["magic 1", bent("magic", 1), InvalidRecord],
  ["magic 3", bent("magic", 3), CorruptMessage],
  ["magic -1", bent("magic", -1), CorruptMessage],
  ["a wrong CRC", withoutCrc(), CorruptMessage],
  ["length -1", bent("length", -1), CorruptMessage],
  ["length 48", bent("length", 48), CorruptMessage],
  ["length 2^31 - 1", bent("length", 2 ** 31 - 1), InvalidRecord], // Kafka: UNKNOWN_SERVER_ERROR
  ["count 0", bent("count", 0), InvalidRecord],
  ["count -1", bent("count", -1), InvalidRecord],
  ["count 3 of 2", bent("count", 3), InvalidRecord],
  ["count 2^31 - 1", bent("count", 2 ** 31 - 1), InvalidRecord],
  ["last offset delta -1", bent("lastOffsetDelta", -1), InvalidRecord],
  ["last offset delta 2^31 - 1", bent("lastOffsetDelta", 2 ** 31 - 1), InvalidRecord],
  ["codec 5", bent("attributes", 5), UnsupportedCompressionType], // Kafka: UNKNOWN_SERVER_ERROR
  ["codec 7", bent("attributes", 7), UnsupportedCompressionType],
  ["a control batch", bent("attributes", 0x20), InvalidRecord],
  [
    "a batch of a transaction",
    batches.withField(
      batches.batchOf([batches.record("a")], idempotent),
      ...[AT.attributes, 2, 0x10] as const,
    ),
    ErrorCode.TransactionalIdAuthorizationFailed,
  ],
  ["two batches", Uint8Array.of(...good, ...good), InvalidRecord],
  ["a record that ends late", packed("none", Uint8Array.of(...record, 0)), InvalidRecord],
  ["a record over max.message.bytes", bomb("none", MESSAGE_BYTES_MAX), MessageTooLarge],
  ["an empty gzip stream", packed("gzip", new Uint8Array(0)), CorruptMessage],
  ["a gzip stream cut short", packed("gzip", gzipped.subarray(0, -3)), CorruptMessage],
  ["gzip that is none", packed("gzip", record), CorruptMessage],
  ["snappy that is none", packed("snappy", Uint8Array.of(255, 255, 255)), CorruptMessage],
  ["lz4 that is none", packed("lz4", record), CorruptMessage],
  ["zstd that is none", packed("zstd", record), CorruptMessage],
  ["a gzip bomb", bomb("gzip", 4 * INFLATED_BYTES_MAX), MessageTooLarge],
  ["a snappy bomb", bomb("snappy", INFLATED_BYTES_MAX + 1), MessageTooLarge],
  ["an lz4 bomb", bomb("lz4", 4 * INFLATED_BYTES_MAX), MessageTooLarge],
  ["a zstd bomb", bomb("zstd", 4 * INFLATED_BYTES_MAX), MessageTooLarge],
  [
    "a zstd frame that says 2^63 bytes",
    packed(
      "zstd",
      Uint8Array.of(
        0x28,
        0xb5,
        0x2f,
        0xfd,
        0xe0,
        ...COMPACT_HUGE.slice(0, 4),
        255,
        255,
        255,
        127,
        1,
        0,
        0,
      ),
    ),
    MessageTooLarge,
  ],
  [
    "a zstd frame that wants a dictionary",
    packed(
      "zstd",
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 5, 1, 0, 0),
    ),
    CorruptMessage,
  ],
];

/**
 * Takes a whole turn of the event loop: under `bun test` a fault of zlib runs the microtasks that are
 * due, this test among them, inside the call that fails.
 */
async function refusalOf(
  connection: RawConnection,
  bytes: Uint8Array | null,
): Promise<readonly unknown[]> {
  connection.send(produce, PRODUCE_VERSION, produceBody("kept", bytes));
  await fixture.clock.advance(1);
  await new Promise((resolve) => setImmediate(resolve));
  await fixture.clock.settle();
  const { responses } = connection.answer(produce, PRODUCE_VERSION);
  const produced = responses[0]?.partitionResponses[0];
  return [produced?.errorCode, produced?.baseOffset];
}

describe("A batch that is not right is answered with Kafka's error and not stored", () => {
  for (const [name, bytes, errorCode] of BAD_BATCHES) {
    test(name, async () => {
      const connection = await fixture.dial();
      expect(await refusalOf(connection, bytes)).toEqual([errorCode, -1]);
      expect(connection.isClosed).toBeFalse();
      expect(newEvents()).toEqual([]);
      await connection.close();
    });
  }

  test("a record without a key for a compacted topic", async () => {
    const connection = await fixture.dial();
    expect((await produceTo(connection, "compacted", good)).errorCode).toBe(InvalidRecord);
    await connection.close();
  });

  test("with acks=0 it closes the connection with one line: nothing else could tell", async () => {
    const connection = await fixture.dial();
    await produceTo(connection, "kept", withoutCrc(), 0).catch(() => undefined);
    await fixture.clock.advance(2000);
    expect(connection.isClosed).toBeTrue();
    expect(newEvents()).toHaveLength(1);
    expect(newEvents()[0] ?? "").toMatch(/acks=0 was refused with error 2/);
  });
});
