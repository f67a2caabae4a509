/** A client that knows the one topic it produces to. */
import { produce } from "../../src/api/produce.ts";
import type { Client } from "../../src/client/client.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import type { FakeBroker } from "./fake_broker.ts";
import { type Harness, startHarness } from "./harness.ts";

export interface Setup extends Harness {
  readonly broker: FakeBroker;
  readonly client: Client;
}

/** Topic "a". */
export async function setUpProducer(
  options: { brokers?: number; partitions?: number } = {},
): Promise<Setup> {
  const harness = await startHarness(options.brokers ?? 1);
  harness.cluster.createTopic("a", options.partitions ?? 1);
  const client = await harness.connect();
  await harness.clock.until(client.metadata.topic("a"));
  return { ...harness, client, broker: harness.brokers[0] as FakeBroker };
}

/** The first batch of every Produce request that a broker has seen, in order. */
export function batchesSent(broker: FakeBroker): readonly BatchView[] {
  return broker.requestsOf(produce).map(({ body }) => {
    const records = body.topicData[0]?.partitionData[0]?.records;
    return new BatchView(records as Uint8Array);
  });
}
