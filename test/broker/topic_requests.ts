/** The requests that most tests of the broker make, with what they do not care for filled in. */
import { createTopics } from "../../src/api/create_topics.ts";
import { fetch } from "../../src/api/fetch.ts";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import { produce } from "../../src/api/produce.ts";
import type { RequestInput, ResponseOf } from "../../src/api/schema.ts";
import { type Fixture, type RawConnection, startBroker } from "./broker_fixture.ts";

export const PRODUCE_VERSION = 9;
export const FETCH_VERSION = 12;

export async function createTopic(
  connection: RawConnection,
  name: string,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }));
  const { topics } = await connection.ask(createTopics, 7, {
    topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }],
    timeoutMs: 1000,
  });
  if (topics[0]?.errorCode !== 0) {
    throw new Error(`Cannot create ${name}: ${topics[0]?.errorMessage}`);
  }
}

/** Sets settings of a topic; throws where they are refused. */
export async function alterTopic(
  connection: RawConnection,
  topic: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const configs = Object.entries(settings).map(([name, value]) => ({
    name,
    configOperation: 0,
    value,
  }));
  const { responses } = await connection.ask(incrementalAlterConfigs, 1, {
    resources: [{ resourceType: 2, resourceName: topic, configs }],
    validateOnly: false,
  });
  if (responses[0]?.errorCode !== 0) throw new Error(responses[0]?.errorMessage ?? "no answer");
}

export function produceBody(
  topic: string,
  records: Uint8Array | null,
  acks = -1,
): RequestInput<typeof produce> {
  return {
    transactionalId: null,
    acks,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
  };
}

export type Produced = ResponseOf<
  typeof produce
>["responses"][number]["partitionResponses"][number];

export async function produceTo(
  connection: RawConnection,
  topic: string,
  records: Uint8Array | null,
  acks = -1,
): Promise<Produced> {
  const body = produceBody(topic, records, acks);
  const { responses } = await connection.ask(produce, PRODUCE_VERSION, body);
  return responses[0]?.partitionResponses[0] as Produced;
}

export interface FetchFields {
  readonly offset?: number;
  readonly minBytes?: number;
  readonly maxWaitMs?: number;
  readonly maxBytes?: number;
  readonly partitionMaxBytes?: number;
  readonly leaderEpoch?: number;
  readonly replicaId?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
}

export function fetchBody(topic: string, fields: FetchFields = {}): RequestInput<typeof fetch> {
  return {
    replicaId: fields.replicaId ?? -1,
    maxWaitMs: fields.maxWaitMs ?? 0,
    minBytes: fields.minBytes ?? 1,
    maxBytes: fields.maxBytes ?? 1 << 24,
    isolationLevel: 0,
    sessionId: fields.sessionId ?? 0,
    sessionEpoch: fields.sessionEpoch ?? -1,
    topics: [{
      topic,
      partitions: [{
        partition: 0,
        currentLeaderEpoch: fields.leaderEpoch ?? -1,
        fetchOffset: fields.offset ?? 0,
        partitionMaxBytes: fields.partitionMaxBytes ?? 1 << 24,
      }],
    }],
    forgottenTopicsData: [],
    rackId: "",
  };
}

export type Fetched = ResponseOf<typeof fetch>["responses"][number]["partitions"][number];

export async function fetchFrom(
  connection: RawConnection,
  topic: string,
  fields: FetchFields = {},
): Promise<Fetched> {
  const { responses } = await connection.ask(fetch, FETCH_VERSION, fetchBody(topic, fields));
  return responses[0]?.partitions[0] as Fetched;
}

/** A running broker with the topic `t`. */
export async function brokerWith(
  settings: Readonly<Record<string, string>> = {},
): Promise<Fixture & { readonly connection: RawConnection }> {
  const fixture = await startBroker();
  const connection = await fixture.dial();
  await createTopic(connection, "t", settings);
  return { ...fixture, connection };
}
