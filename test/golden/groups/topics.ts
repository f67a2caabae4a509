/** Makes the topics that the cases need, and waits until groups are served. */
import { createTopics } from "../../../src/api/create_topics.ts";
import { describeGroups } from "../../../src/api/describe_groups.ts";
import { ErrorCode, errorName } from "../../../src/api/error_code.ts";
import { findCoordinator } from "../../../src/api/find_coordinator.ts";
import { metadata } from "../../../src/api/metadata.ts";
import type { RequestInput, ResponseOf } from "../../../src/api/schema.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import { type Line, TOPICS, type Wire } from "./talk.ts";

const TRIES_MAX = 200;
const PAUSE_MS = 100;

/** Groups of every partition of the topic that keeps them. */
const PROBES = Array.from({ length: 64 }, (_, index) => `probe-${index}`);

/** The ids of the topics. */
export async function prepare(wire: Wire): Promise<ReadonlyMap<string, Uuid>> {
  const line = await wire.wait(wire.dial());
  for (const [name, numPartitions] of TOPICS) {
    // deno-lint-ignore no-await-in-loop -- one after the other
    await createTopic(
      (body) => wire.wait(line.request(createTopics, 7, body)),
      name,
      numPartitions,
    );
  }
  await untilServed(wire, line);
  const described = await wire.wait(
    line.request(metadata, 12, {
      topics: [...TOPICS.keys()].map((name) => ({ name })),
      allowAutoTopicCreation: false,
    }),
  );
  line.close();
  return new Map(described.topics.map(({ name, topicId }) => [name ?? "", topicId]));
}

/** Makes a topic, or finds it there. */
export async function createTopic(
  ask: (body: RequestInput<typeof createTopics>) => Promise<ResponseOf<typeof createTopics>>,
  name: string,
  numPartitions: number,
): Promise<void> {
  const place = { numPartitions, replicationFactor: 1, assignments: [], configs: [] };
  const { topics } = await ask({ topics: [{ name, ...place }], timeoutMs: 10_000 });
  const errorCode = topics[0]?.errorCode ?? ErrorCode.UnknownServerError;
  if (errorCode !== ErrorCode.None && errorCode !== ErrorCode.TopicAlreadyExists) {
    throw new Error(`Cannot create ${name}: ${errorName(errorCode)}`);
  }
}

/** The topic of groups is made by the first question for a coordinator, and then loaded. */
async function untilServed(wire: Wire, line: Line): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    // deno-lint-ignore no-await-in-loop -- one try after the other
    const { coordinators } = await wire.wait(
      line.request(findCoordinator, 4, { keyType: 0, coordinatorKeys: PROBES }),
    );
    // deno-lint-ignore no-await-in-loop -- one try after the other
    const { groups } = await wire.wait(line.request(describeGroups, 5, { groups: PROBES }));
    if ([...coordinators, ...groups].every(({ errorCode }) => errorCode === 0)) return;
    // deno-lint-ignore no-await-in-loop -- a moment between two tries
    await wire.pass(PAUSE_MS);
  }
  throw new Error("Cannot wait longer for the coordinators of groups");
}
