/** A client and a cluster of scripted brokers in one program, on a clock that the test moves. */
import { type Client, type ClientOptions, connect } from "../../src/client/client.ts";
import type { Compressor } from "../../src/env/compressor.ts";
import type { Env } from "../../src/env/env.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import { bytesOf, textOf } from "../../src/ground/text.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { RecordCursor } from "../../src/record/record_cursor.ts";
import { FakeBroker } from "./fake_broker.ts";
import { FakeCluster, type FakePartition } from "./fake_cluster.ts";
import { ManualClock } from "./manual_clock.ts";
import { MemoryNetwork } from "./memory_network.ts";

/** No codec: the bytes behind a mark, which is enough to see that it was asked. */
const marking: Compressor = {
  implementation: "mark",
  compress: (bytes) => Uint8Array.of(77, ...bytes),
  decompress: (bytes) => bytes.subarray(1),
};

export interface Harness {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly cluster: FakeCluster;
  readonly brokers: readonly FakeBroker[];
  readonly env: Env;
  /** Events told to the trace. */
  readonly events: string[];
  connect(options?: Partial<ClientOptions>): Promise<Client>;
}

export async function startHarness(brokerCount = 1): Promise<Harness> {
  const clock = new ManualClock();
  const network = new MemoryNetwork();
  const cluster = new FakeCluster(network, clock);
  for (let nodeId = 1; nodeId <= brokerCount; nodeId++) {
    const broker = new FakeBroker(cluster, nodeId);
    cluster.brokers.push(broker);
    await broker.start();
  }
  const events: string[] = [];
  const entropy = new Prng(8);
  const env = {
    clock,
    network,
    random: new Prng(7),
    crypto: { randomBytes: (count: number) => entropy.bytes(count) },
    compressors: { gzip: marking, snappy: marking, lz4: marking, zstd: marking },
    crc32c: crc32cTables,
    trace: { event: (level: string, message: string) => events.push(`${level} ${message}`) },
    get disk(): never {
      throw new Error("Cannot use a disk: there is none here");
    },
  } as Env;
  return {
    clock,
    network,
    cluster,
    brokers: cluster.brokers,
    env,
    events,
    connect: (options = {}) => {
      const first = cluster.brokers[0] as FakeBroker;
      return clock.until(connect({ brokers: [first.address], env, ...options }));
    },
  };
}

/** The values in a partition, in order, as text; null stays null. */
export function valuesIn(partition: FakePartition): (string | null)[] {
  const values: (string | null)[] = [];
  const cursor = new RecordCursor({
    decompress: (_, bytes) => bytes.subarray(1),
    inflatedBytesMax: 1 << 28,
  });
  for (const batch of partition.batches) {
    cursor.open(new BatchView(batch));
    while (cursor.next()) values.push(textOrNull(cursor.value()));
    if (cursor.failure !== undefined) throw new Error(cursor.failure);
  }
  return values;
}

export function textOrNull(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : textOf(bytes);
}

export function valued(value: string): { key: null; value: Uint8Array } {
  return { key: null, value: bytesOf(value) };
}

/** Where calls are expected to fail: the code of the error. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "it did not fail";
  } catch (thrown) {
    return (thrown as { readonly code?: string }).code ?? String(thrown);
  }
}
