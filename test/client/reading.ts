/** A client with one topic to read, and a loop that reads it. */
import type { Client } from "../../src/client/client.ts";
import type { ConsumerOptions } from "../../src/client/consumer_options.ts";
import type { FakeBroker } from "./fake_broker.ts";
import type { FakePartition } from "./fake_cluster.ts";
import { type Harness, startHarness, textOrNull } from "./harness.ts";

export interface Setup extends Harness {
  readonly broker: FakeBroker;
  readonly client: Client;
  readonly partition: FakePartition;
}

/** Topic "a"; its first partition is at hand. */
export async function setUpConsumer(
  options: { brokers?: number; partitions?: number } = {},
): Promise<Setup> {
  const harness = await startHarness(options.brokers ?? 1);
  harness.cluster.createTopic("a", options.partitions ?? 1);
  const client = await harness.connect({ requestTimeoutMs: 5000 });
  const broker = harness.brokers[0] as FakeBroker;
  return { ...harness, client, broker, partition: harness.cluster.partition("a", 0) };
}

/** Reads to the end: "partition:offset=value". */
export async function read(client: Client, options: ConsumerOptions): Promise<string[]> {
  const seen: string[] = [];
  for await (const { partition, offset, value } of client.consumer(options)) {
    seen.push(`${partition}:${offset}=${textOrNull(value)}`);
  }
  return seen;
}

/** All of the first partition, and what follows. */
export const WHOLE = { topic: "a", partition: 0, from: 0 };
