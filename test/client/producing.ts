/** A client that knows the one topic it produces to. */
import { produce } from "../../src/api/produce.ts";
import type { ResponseInput } from "../../src/api/schema.ts";
import type { Client, ClientOptions } from "../../src/client/client.ts";
import type { Producer } from "../../src/client/producer.ts";
import type { BatchReport, ProducerOptions } from "../../src/client/producer_options.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { answering, type FakeBroker, type Step } from "./fake_broker.ts";
import { type Harness, startHarness } from "./harness.ts";

export interface Setup extends Harness {
  readonly broker: FakeBroker;
  readonly client: Client;
}

/** Topic "a". */
export async function setUpProducer(
  options: { brokers?: number; partitions?: number; client?: Partial<ClientOptions> } = {},
): Promise<Setup> {
  const harness = await startHarness(options.brokers ?? 1);
  harness.cluster.createTopic("a", options.partitions ?? 1);
  const client = await harness.connect(options.client);
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

/** "epoch:sequence" of each. */
export function stampsOf(broker: FakeBroker): string[] {
  return batchesSent(broker).map((batch) => `${batch.producerEpoch()}:${batch.baseSequence()}`);
}

export interface RetrySetup extends Setup {
  readonly producer: Producer;
  readonly reports: BatchReport[];
}

/** A producer to partition 0 of topic "a" whose batches have one of `texts` each. */
export async function setUpRetries(
  options: ProducerOptions = {},
  brokerCount = 1,
): Promise<RetrySetup> {
  const setup = await setUpProducer({ brokers: brokerCount, client: { requestTimeoutMs: 5000 } });
  const reports: BatchReport[] = [];
  const producer = setup.client.producer({
    batchBytes: 100, // one record each
    onBatchDelivered: (report) => reports.push(report),
    ...options,
  });
  return { ...setup, producer, reports };
}

export function texts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`.padStart(60, " "));
}

export function refusalBody(
  errorCode: number,
  errorMessage: string | null = null,
): ResponseInput<typeof produce> {
  const partition = { index: 0, errorCode, baseOffset: -1, errorMessage };
  return { responses: [{ name: "a", partitionResponses: [partition] }] };
}

export function refusal(errorCode: number, errorMessage: string | null = null): Step {
  return answering(produce, refusalBody(errorCode, errorMessage));
}
