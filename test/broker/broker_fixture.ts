/** A whole broker in memory: its clock moved by the test, its disk and network of our own. */
import type { Api, RequestInput, ResponseOf } from "../../src/api/schema.ts";
import { Broker } from "../../src/broker/broker.ts";
import type { HttpReply } from "../../src/broker/http_routes.ts";
import type { Env } from "../../src/env/env.ts";
import type { Address, Stream } from "../../src/env/network.ts";
import { BufferPool } from "../../src/ground/buffer_pool.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import { Reader } from "../../src/ground/reader.ts";
import { bytesOf, textOf } from "../../src/ground/text.ts";
import { createHostCompressors } from "../../src/host/compressor.ts";
import { BatchBuilder } from "../../src/record/batch_builder.ts";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { RecordCursor } from "../../src/record/record_cursor.ts";
import { responseReader } from "../../src/wire/codec.ts";
import { FrameSplitter } from "../../src/wire/frame.ts";
import { readResponseHeader } from "../../src/wire/header.ts";
import { requestFrame } from "../../src/wire/message.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { MemoryNetwork } from "../client/memory_network.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

export interface Fixture {
  readonly broker: Broker;
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  readonly network: MemoryNetwork;
  readonly env: Env;
  /** Messages of the trace, with their reasons. */
  readonly events: string[];
  dial(): Promise<RawConnection>;
}

/** Requests come in pieces, so that their frames are assembled in the pool. */
const PIECE_BYTES = 60;
const SETTLES = 5;
const ADDRESS: Address = { host: "127.0.0.1", port: 9092 };

export async function startBroker(
  settings: Readonly<Record<string, string>> = {},
  disk: MemoryDisk = new MemoryDisk(),
): Promise<Fixture> {
  const fixture = assembleBroker(settings, disk);
  await fixture.clock.until(fixture.broker.start());
  return fixture;
}

/** A broker that is not started yet. */
export function assembleBroker(
  settings: Readonly<Record<string, string>> = {},
  disk: MemoryDisk = new MemoryDisk(),
): Fixture {
  const clock = new ManualClock();
  const network = new MemoryNetwork();
  network.pieceBytes = PIECE_BYTES;
  const events: string[] = [];
  const chance = new Prng(11 + disk.files.size);
  const env: Env = {
    clock,
    disk,
    network,
    random: chance.fork(),
    crypto: { randomBytes: (count) => chance.bytes(count) },
    compressors: createHostCompressors(),
    crc32c: crc32cTables,
    trace: {
      event: (level, message, fields) => {
        events.push(`${level} ${message} ${String(fields?.["reason"] ?? "")}`.trim());
      },
    },
  };
  const given = Object.entries({ "log.dirs": "/data", "mq.http.listener": "off", ...settings });
  // Poisoned: a handler that keeps a view of its request is found.
  const framePool = new BufferPool({ bytesMax: 1 << 20, isPoisoned: true });
  const broker = new Broker({ env, settings: new Map(given), framePool });
  const dial = async (): Promise<RawConnection> =>
    new RawConnection(await network.dial(ADDRESS), clock);
  return { broker, clock, disk, network, env, events, dial };
}

/** What is answered over HTTP where nothing has to be read for it. */
export function pageOf({ broker }: Pick<Fixture, "broker">, path: string): HttpReply {
  const reply = broker.routes({ method: "GET", path });
  if (reply instanceof Promise) throw new Error(`${path} has to be waited for`);
  return reply;
}

/** Requests and answers as they are on the wire, without a client's cleverness. */
export class RawConnection {
  isClosed = false;
  readonly #stream: Stream;
  readonly #clock: ManualClock;
  readonly #splitter: FrameSplitter;
  readonly #frames: Uint8Array[] = [];
  #correlationId = 0;

  constructor(stream: Stream, clock: ManualClock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#splitter = new FrameSplitter({
      frameBytesMax: 1 << 30,
      frameBytesMin: 4,
      onFrame: (frame) => void this.#frames.push(frame),
    });
    stream.listen({
      onBytes: (bytes) => void this.#splitter.push(bytes),
      onDrain: () => undefined,
      onClose: () => {
        this.isClosed = true;
      },
    });
  }

  /** Sends and takes the answer, which must come without the clock being moved. */
  async ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    this.send(api, version, body);
    // More than once: on Bun a codec that fails runs waiting microtasks before it returns.
    for (let turn = 0; turn < SETTLES && this.#frames.length === 0; turn++) {
      await this.#clock.settle();
    }
    return this.answer(api, version);
  }

  send<A extends Api>(api: A, version: number, body: RequestInput<A>): void {
    const header = { apiVersion: version, correlationId: ++this.#correlationId, clientId: "test" };
    for (const part of requestFrame(api, header, body)) this.#stream.write(part as Uint8Array);
  }

  /** The oldest answer that was not taken yet. */
  answer<A extends Api>(api: A, version: number): ResponseOf<A> {
    const frame = this.#frames.shift();
    if (frame === undefined) throw new Error(`No answer to ${api.name}`);
    const reader = new Reader(frame);
    readResponseHeader(reader, api, version);
    const response = responseReader(api, version)(reader) as ResponseOf<A>;
    if (reader.failure !== undefined) throw new Error(reader.failure);
    return response;
  }

  get answerCount(): number {
    return this.#frames.length;
  }

  async sendBytes(bytes: Uint8Array): Promise<void> {
    this.#stream.write(bytes);
    await this.#clock.settle();
  }

  async close(): Promise<void> {
    this.#stream.destroy();
    await this.#clock.settle();
  }
}

export interface BatchFields {
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly timestamp?: number;
}

const tools = {
  crc32c: crc32cTables,
  compress: (_type: string, bytes: Uint8Array): Uint8Array => bytes,
};

/** A batch of records with these values. */
export function batchOf(values: readonly string[], fields: BatchFields = {}): Uint8Array {
  const builder = new BatchBuilder({ bytesMax: 1 << 24, compressionType: "none" });
  for (const value of values) {
    builder.append({
      key: null,
      value: bytesOf(value),
      timestamp: fields.timestamp ?? 1_700_000_000_000,
    });
  }
  return builder.finish(fields, tools);
}

/** "offset:value" of every record. */
export function recordsOf(bytes: Uint8Array | null): readonly string[] {
  const found: string[] = [];
  const cursor = new RecordCursor({
    decompress: (_type, section) => section,
    inflatedBytesMax: 1 << 24,
  });
  const walk = new BatchWalk(bytes ?? new Uint8Array(0));
  while (walk.next()) {
    cursor.open(walk.batch);
    while (cursor.next()) {
      found.push(`${cursor.offset()}:${textOf(cursor.value() ?? new Uint8Array(0))}`);
    }
  }
  return found;
}
