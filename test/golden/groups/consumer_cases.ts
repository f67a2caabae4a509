/** ConsumerGroupHeartbeat behind the join (KIP-848): epochs, partitions that move, static members. */
import { consumerGroupDescribe } from "../../../src/api/consumer_group_describe.ts";
import { createPartitions } from "../../../src/api/create_partitions.ts";
import { createTopics } from "../../../src/api/create_topics.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import { commit, consumerBeat, describe } from "./asks.ts";
import { type Case, one, type Talk } from "./talk.ts";
import { createTopic } from "./topics.ts";

const UNKNOWN_ID = "AAAAAAAAAAAAAAAAAAAAAQ" as Uuid;
const LEAVES = -1;
/** Within this a broker has heard of what its controller has decided. */
const METADATA_MS = 500;
const LEAVES_FOR_A_WHILE = -2;

const epochCases: readonly Case[] = [
  ...[1, 5, LEAVES, LEAVES_FOR_A_WHILE, -3].map((memberEpoch) =>
    one(`ConsumerGroupHeartbeat: epoch ${memberEpoch} in no group`, async (talk) => {
      await consumerBeat(talk, { memberEpoch });
      await consumerBeat(talk, { memberEpoch, instanceId: "i" });
    })
  ),
  ...[1, 5, LEAVES, LEAVES_FOR_A_WHILE, -3].map((memberEpoch) =>
    one(`ConsumerGroupHeartbeat: epoch ${memberEpoch} of an unknown member`, async (talk) => {
      await consumerBeat(talk);
      await consumerBeat(talk, { memberEpoch, memberId: "nobody" });
      await consumerBeat(talk, { memberEpoch, memberId: "" });
      await consumerBeat(talk, { memberEpoch, memberId: "nobody", instanceId: "i" });
    })
  ),
  one("ConsumerGroupHeartbeat: the epoch that it has", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    await consumerBeat(talk, { memberEpoch });
    await consumerBeat(talk, { memberEpoch, version: 0 });
  }),
  one("ConsumerGroupHeartbeat: an epoch to come", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    await consumerBeat(talk, { memberEpoch: memberEpoch + 1 });
    await consumerBeat(talk, { memberEpoch });
  }),
  one("ConsumerGroupHeartbeat: an epoch of long ago", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    for (const subscribedTopicNames of [["t", "u"], ["u"], ["t"]]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await consumerBeat(talk, { subscribedTopicNames });
    }
    await consumerBeat(talk, { memberEpoch });
    const topicPartitions = [{ topicId: talk.topicId("t"), partitions: [0, 1] }];
    await consumerBeat(talk, { memberEpoch, topicPartitions });
  }),
  one("ConsumerGroupHeartbeat: the epoch before, as after a lost answer", async (talk) => {
    const topicPartitions = [{ topicId: talk.topicId("t"), partitions: [0, 1] }];
    const { memberEpoch } = await consumerBeat(talk);
    await consumerBeat(talk, { memberEpoch, topicPartitions });
    const next = await consumerBeat(talk, { memberEpoch, subscribedTopicNames: ["t", "u"] });
    await consumerBeat(talk, { memberEpoch, topicPartitions });
    await consumerBeat(talk, { memberEpoch: next.memberEpoch, topicPartitions });
  }),
  one("ConsumerGroupHeartbeat: a change of subscription, and none", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    const next = await consumerBeat(talk, { memberEpoch, subscribedTopicNames: ["u"] });
    await consumerBeat(talk, {
      memberEpoch: next.memberEpoch,
      subscribedTopicNames: ["u"],
      topicPartitions: [],
    });
    await consumerBeat(talk, { memberEpoch: next.memberEpoch, serverAssignor: "range" });
    await consumerBeat(talk, { memberEpoch: next.memberEpoch, serverAssignor: "nonsense" });
  }),
  one("ConsumerGroupHeartbeat: names of partitions that are nobody's", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    for (const topicId of [UNKNOWN_ID, talk.topicId("u")]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await consumerBeat(talk, { memberEpoch, topicPartitions: [{ topicId, partitions: [0, 9] }] });
    }
  }),
  one("ConsumerGroupHeartbeat: empty words after the join", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    await consumerBeat(talk, { memberEpoch, instanceId: "" });
    await consumerBeat(talk, { memberEpoch, rackId: "" });
    await consumerBeat(talk, { memberEpoch, groupId: "" });
    await consumerBeat(talk, { memberEpoch, memberId: "" });
    await consumerBeat(talk, { memberEpoch, memberId: "", version: 0 });
  }),
  one("ConsumerGroupHeartbeat: after leaving", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    await consumerBeat(talk, { memberEpoch: LEAVES });
    await consumerBeat(talk, { memberEpoch: LEAVES });
    await consumerBeat(talk, { memberEpoch });
    await commit(talk, { member: "m1", generation: memberEpoch });
    await commit(talk);
  }),
  one("ConsumerGroupHeartbeat: leaving for a while, without an instance", async (talk) => {
    await consumerBeat(talk);
    await consumerBeat(talk, { memberEpoch: LEAVES_FOR_A_WHILE });
  }),
];

function describeConsumers(talk: Talk): Promise<unknown> {
  return talk.ask(consumerGroupDescribe, 1, { groupIds: [talk.group] });
}

function pairCase(title: string, play: (talk: Talk, second: number) => Promise<unknown>): Case {
  return one(`ConsumerGroupHeartbeat: two members, ${title}`, async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    const second = await consumerBeat(talk, { memberId: "m2", subscribedTopicNames: ["t", "u"] });
    const first = await consumerBeat(talk, { memberEpoch });
    const kept = first.assignment?.topicPartitions ?? [];
    await play(talk, second.memberEpoch);
    await consumerBeat(talk, { memberEpoch: first.memberEpoch, topicPartitions: kept });
    await describeConsumers(talk);
  });
}

const sharedCases: readonly Case[] = [
  one(
    "ConsumerGroupHeartbeat: a partition is taken from one and given to the other",
    async (talk) => {
      const id = talk.topicId("t");
      const one = await consumerBeat(talk);
      const owned = [{ topicId: id, partitions: [0, 1] }];
      await consumerBeat(talk, { memberEpoch: one.memberEpoch, topicPartitions: owned });
      const two = await consumerBeat(talk, { memberId: "m2" });
      const told = await consumerBeat(talk, { memberEpoch: one.memberEpoch });
      await describeConsumers(talk);
      const kept = told.assignment?.topicPartitions ?? [];
      await consumerBeat(talk, {
        memberId: "m2",
        memberEpoch: two.memberEpoch,
        topicPartitions: [],
      });
      await consumerBeat(talk, { memberEpoch: one.memberEpoch, topicPartitions: kept });
      await consumerBeat(talk, {
        memberId: "m2",
        memberEpoch: two.memberEpoch,
        topicPartitions: [],
      });
      await describeConsumers(talk);
    },
  ),
  one("ConsumerGroupHeartbeat: a member that does not give back in time is out", async (talk) => {
    const owned = [{ topicId: talk.topicId("t"), partitions: [0, 1] }];
    const { memberEpoch } = await consumerBeat(talk, { rebalanceTimeoutMs: 1000 });
    await consumerBeat(talk, { memberEpoch, topicPartitions: owned });
    const two = await consumerBeat(talk, { memberId: "m2", rebalanceTimeoutMs: 1000 });
    await consumerBeat(talk, { memberEpoch, topicPartitions: owned });
    await talk.pass(2000);
    await consumerBeat(talk, { memberEpoch, topicPartitions: owned });
    await consumerBeat(talk, { memberId: "m2", memberEpoch: two.memberEpoch, topicPartitions: [] });
    await describeConsumers(talk);
  }),
  one("ConsumerGroupHeartbeat: a topic comes to be, and grows", async (talk) => {
    const name = `${talk.group}-later`;
    const { memberEpoch } = await consumerBeat(talk, { subscribedTopicNames: [name] });
    await createTopic((body) => talk.arrange(createTopics, 7, body), name, 1);
    await talk.pass(METADATA_MS);
    const next = await consumerBeat(talk, { memberEpoch });
    await talk.arrange(createPartitions, 3, {
      topics: [{ name, count: 2, assignments: null }],
      timeoutMs: 10_000,
      validateOnly: false,
    });
    await talk.pass(METADATA_MS);
    await consumerBeat(talk, { memberEpoch: next.memberEpoch });
    await describeConsumers(talk);
  }),
  pairCase(
    "one of which leaves",
    (talk) => consumerBeat(talk, { memberId: "m2", memberEpoch: LEAVES }),
  ),
  pairCase(
    "one of which has the other's id in mind",
    (talk, memberEpoch) => consumerBeat(talk, { memberId: "m3", memberEpoch }),
  ),
];

const staticCases: readonly Case[] = [
  one(
    "ConsumerGroupHeartbeat: a static member that leaves for a while and comes back",
    async (talk) => {
      const { memberEpoch } = await consumerBeat(talk, { instanceId: "i" });
      await consumerBeat(talk, { memberEpoch, instanceId: "i" });
      await consumerBeat(talk, { memberEpoch: LEAVES_FOR_A_WHILE, instanceId: "i" });
      await consumerBeat(talk, { memberEpoch, instanceId: "i" });
      await describeConsumers(talk);
      await consumerBeat(talk, { memberId: "m2", instanceId: "i" });
      await consumerBeat(talk, { memberEpoch, instanceId: "i" });
      await commit(talk, { member: "m1", generation: memberEpoch });
      await commit(talk, { member: "m1", generation: memberEpoch, instance: "i" });
      await describeConsumers(talk);
    },
  ),
  one(
    "ConsumerGroupHeartbeat: a static member that comes back with another subscription",
    async (talk) => {
      await consumerBeat(talk, { instanceId: "i" });
      await consumerBeat(talk, { memberEpoch: LEAVES_FOR_A_WHILE, instanceId: "i" });
      await consumerBeat(talk, { memberId: "m2", instanceId: "i", subscribedTopicNames: ["u"] });
      await describeConsumers(talk);
    },
  ),
  one("ConsumerGroupHeartbeat: an instance that is in use", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk, { instanceId: "i" });
    await consumerBeat(talk, { memberId: "m2", instanceId: "i" });
    await consumerBeat(talk, { memberId: "m2", instanceId: "i", memberEpoch });
    await consumerBeat(talk, { memberId: "m2", instanceId: "i", memberEpoch: LEAVES });
    await consumerBeat(talk, { memberId: "m2", instanceId: "i", memberEpoch: LEAVES_FOR_A_WHILE });
    await consumerBeat(talk, { instanceId: "i", memberEpoch });
  }),
  one("ConsumerGroupHeartbeat: an instance that is unknown", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk, { instanceId: "i" });
    await consumerBeat(talk, { instanceId: "j", memberEpoch });
    await consumerBeat(talk, { instanceId: "j", memberEpoch: LEAVES_FOR_A_WHILE });
    await consumerBeat(talk, { instanceId: "j", memberEpoch: LEAVES });
  }),
  one("ConsumerGroupHeartbeat: a static member that leaves for good", async (talk) => {
    await consumerBeat(talk, { instanceId: "i" });
    await consumerBeat(talk, { memberEpoch: LEAVES, instanceId: "i" });
    await consumerBeat(talk, { memberId: "m2", instanceId: "i" });
    await describe(talk);
  }),
  one("ConsumerGroupHeartbeat: a member that names an instance later", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    await consumerBeat(talk, { memberEpoch, instanceId: "i" });
  }),
];

export const consumerCases: readonly Case[] = [
  ...epochCases,
  ...sharedCases,
  ...staticCases,
];
