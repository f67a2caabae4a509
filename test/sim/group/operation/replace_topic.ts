/**
 * Commits for a topic, deletes the topic, and makes another of its name. Acknowledged: the new one has
 * none of the offsets of the old one.
 */
import type { ClientError } from "../../../../src/client/client_error.ts";
import { PromiseBroken } from "../../operation/operation.ts";
import {
  type GroupOperation,
  type GroupOperationContext,
  sleep,
  throwFirst,
} from "./group_operation.ts";

/** Nobody else names these. */
const NAMES = ["r0", "r1"] as const;
const AGAIN_MS = 500;

export const replaceTopic: GroupOperation = {
  name: "replace-topic",
  async run(context): Promise<void> {
    const { client: { admin }, chance, clock, groups } = context;
    const topic = NAMES[chance.below(NAMES.length)] as string;
    const groupId = context.nextGroupId();
    const place = { topic, partition: 0 };
    await create(context, topic);
    throwFirst(await admin.groups.alterGroupOffsets(groupId, [{ ...place, offset: 7 }]));
    groups.end(topic);
    throwFirst(await admin.deleteTopics([topic]));
    await sleep(clock, chance.oneIn(2) ? 0 : chance.below(3000));
    await create(context, topic);
    // One that is sent a second time may come late, and counts for the new topic.
    const isOld = groups.commitsSent(groupId) === 1;
    while (isOld && await isInherited(context, groupId, topic)) {
      // deno-lint-ignore no-await-in-loop -- until the coordinator has heard of it
      await sleep(clock, AGAIN_MS);
    }
    throwFirst(await admin.groups.alterGroupOffsets(groupId, [{ ...place, offset: 3 }]));
  },
};

async function create({ client }: GroupOperationContext, name: string): Promise<void> {
  const results = await client.admin.createTopics([
    { name, partitions: 1, replicationFactor: 1, configs: {} },
  ]);
  const isThere = ({ error }: { readonly error?: ClientError }): boolean =>
    error?.code === "TOPIC_ALREADY_EXISTS"; // of an attempt that was not answered
  throwFirst(results.filter((result) => !isThere(result)));
}

async function isInherited(
  { client, groups, mayBeStale }: GroupOperationContext,
  groupId: string,
  topic: string,
): Promise<boolean> {
  const offsets = await client.admin.groups.groupOffsets(groupId);
  const offset = offsets.find((one) => one.topic === topic)?.offset ?? -1;
  if (offset < 0 || !groups.isTrusted) return false;
  if (mayBeStale) return true;
  throw new PromiseBroken(
    "a new topic inherits no offsets",
    `${groupId} has ${topic} at ${offset}`,
  );
}
