/** Groups that are full (`group.max.size`, `group.consumer.max.size`), and sessions of KIP-848. */
import { consumerGroupDescribe } from "../../../src/api/consumer_group_describe.ts";
import type { joinGroup } from "../../../src/api/join_group.ts";
import {
  beat,
  commit,
  consumerBeat,
  describe,
  join,
  leave,
  type Member,
  sendJoin,
  stable,
  sync,
} from "./asks.ts";
import { BROKER_SETTINGS } from "./broker_settings.ts";
import { setGroupConfig } from "./group_config_cases.ts";
import { type Case, one, type Sent, type Talk } from "./talk.ts";

/** The same for both protocols. */
const GROUP_SIZE_MAX = Number(BROKER_SETTINGS["group.max.size"]);
const LEAVES = -1;
const LEAVES_FOR_A_WHILE = -2;
const SESSION_MS = 1500;
const OLD = 3; // the last version without MEMBER_ID_REQUIRED

/** Sends the joins of so many more members, over a connection each. */
async function joinMore(
  talk: Talk,
  count: number,
): Promise<readonly Sent<typeof joinGroup>[]> {
  const sent: Sent<typeof joinGroup>[] = [];
  for (let at = 0; at < count; at++) {
    const via = `more ${at}`;
    // deno-lint-ignore no-await-in-loop -- one after the other
    sent.push(await sendJoin(talk, { version: OLD, via, rebalance: 1000 }));
  }
  return sent;
}

/** A stable classic group that is full; gives its leader. */
async function full(talk: Talk): Promise<Member> {
  const { member } = await stable(talk);
  const sent = await joinMore(talk, GROUP_SIZE_MAX - 1);
  const back = await sendJoin(talk, { member });
  const ids: string[] = [member];
  for (const each of sent) {
    // deno-lint-ignore no-await-in-loop -- one after the other
    ids.push((await each.take()).memberId);
  }
  const { generationId: generation } = await back.take();
  await sync(talk, { member, generation, assignments: ids.map((id) => [id, "a"]) });
  return { member, generation };
}

const classicCases: readonly Case[] = [
  one("A full classic group takes nobody else", async (talk) => {
    const leader = await full(talk);
    await join(talk, { via: "late" });
    await join(talk, { via: "late", version: OLD });
    await join(talk, { via: "late", instance: "i" });
    await join(talk, { via: "late", member: "nobody" });
    await beat(talk, leader);
    await join(talk, { member: leader.member, version: OLD, via: "again" });
    await describe(talk);
  }),
  // What comes then differs in time only: Kafka waits for the one that it has refused.
  one("A classic group that gathers takes as many as it may have", async (talk) => {
    const { member } = await stable(talk, { rebalance: 1000 });
    await joinMore(talk, GROUP_SIZE_MAX);
    await join(talk, { via: "late", version: OLD });
    await join(talk, { via: "late" });
    await join(talk, { member });
  }),
  one("A classic group with ids that were given out only", async (talk) => {
    await stable(talk);
    for (let count = 1; count < GROUP_SIZE_MAX + 2; count++) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await join(talk, { via: "asks" });
    }
    await describe(talk);
  }),
  one("A full classic group that somebody leaves", async (talk) => {
    const { member } = await full(talk);
    await leave(talk, [[member]]);
    const late = await sendJoin(talk, { via: "late", version: OLD });
    await late.glance();
    await describe(talk);
  }),
];

/** Members m1, m2 and so on, as many as a group may have. */
async function fullOfConsumers(talk: Talk): Promise<number> {
  let epoch = 0;
  for (let count = 1; count <= GROUP_SIZE_MAX; count++) {
    // deno-lint-ignore no-await-in-loop -- one after the other
    ({ memberEpoch: epoch } = await consumerBeat(talk, { memberId: `m${count}` }));
  }
  return epoch;
}

const consumerSizeCases: readonly Case[] = [
  one("A full group of the consumer protocol takes nobody else", async (talk) => {
    const memberEpoch = await fullOfConsumers(talk);
    await consumerBeat(talk, { memberId: "late" });
    await consumerBeat(talk, { memberId: "late", instanceId: "i" });
    await consumerBeat(talk, { memberId: "m1" });
    await consumerBeat(talk, { memberId: `m${GROUP_SIZE_MAX}`, memberEpoch });
    await join(talk);
    await join(talk, { version: OLD });
    await consumerBeat(talk, { memberId: "m1", memberEpoch: LEAVES });
    await consumerBeat(talk, { memberId: "late", subscribedTopicNames: ["missing"] });
  }),
  one("A full group of the consumer protocol has a static member replaced", async (talk) => {
    await consumerBeat(talk, { memberId: "m1", instanceId: "i" });
    for (const memberId of ["m2", "m3", "m4"]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await consumerBeat(talk, { memberId });
    }
    await consumerBeat(talk, { memberId: "m1", instanceId: "i", memberEpoch: LEAVES_FOR_A_WHILE });
    await consumerBeat(talk, { memberId: "late" });
    await consumerBeat(talk, { memberId: "m9", instanceId: "i" });
  }),
  one("A consumer joins a full classic group", async (talk) => {
    await full(talk);
    await consumerBeat(talk);
    await describe(talk);
  }),
];

function describeConsumers(talk: Talk): Promise<unknown> {
  return talk.ask(consumerGroupDescribe, 1, { groupIds: [talk.group] });
}

/** With a session of the group's own, which is shorter than what a broker gives by itself. */
function sessionCase(title: string, play: (talk: Talk) => Promise<unknown>): Case {
  return one(`A session of the consumer protocol: ${title}`, async (talk) => {
    await setGroupConfig(talk, [
      ["consumer.session.timeout.ms", String(SESSION_MS)],
      ["consumer.heartbeat.interval.ms", "500"],
    ]);
    await play(talk);
  });
}

const sessionCases: readonly Case[] = [
  sessionCase("it is kept by heartbeats, and runs out", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    for (let count = 0; count < 3; count++) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await talk.pass(SESSION_MS / 2);
      // deno-lint-ignore no-await-in-loop
      await consumerBeat(talk, { memberEpoch });
    }
    await talk.pass(SESSION_MS * 2);
    await describeConsumers(talk);
    await commit(talk, { member: "m1", generation: memberEpoch });
    await consumerBeat(talk, { memberEpoch });
    await consumerBeat(talk);
  }),
  sessionCase("commits do not keep it", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    for (let count = 0; count < 2; count++) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await talk.pass(SESSION_MS - 500);
      // deno-lint-ignore no-await-in-loop
      await commit(talk, { member: "m1", generation: memberEpoch });
    }
    await consumerBeat(talk, { memberEpoch });
  }),
  sessionCase("what the silent one had goes to the other", async (talk) => {
    await consumerBeat(talk);
    const { memberEpoch } = await consumerBeat(talk, { memberId: "m2" });
    const second = { memberId: "m2", memberEpoch, topicPartitions: [] };
    await consumerBeat(talk, second);
    await talk.pass(SESSION_MS / 2);
    await consumerBeat(talk, second);
    await talk.pass(SESSION_MS - 400);
    await consumerBeat(talk, second);
    await describeConsumers(talk);
  }),
  sessionCase("a static member that is away has one too", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk, { instanceId: "i" });
    await consumerBeat(talk, { instanceId: "i", memberEpoch: LEAVES_FOR_A_WHILE });
    await describeConsumers(talk);
    await talk.pass(SESSION_MS * 2);
    await describeConsumers(talk);
    await consumerBeat(talk, { instanceId: "i", memberEpoch });
    await consumerBeat(talk, { instanceId: "i", memberId: "m2" });
  }),
  sessionCase("an instance is free when it has run out", async (talk) => {
    await consumerBeat(talk, { instanceId: "i" });
    await consumerBeat(talk, { instanceId: "i", memberId: "m2" });
    await talk.pass(SESSION_MS * 2);
    await consumerBeat(talk, { instanceId: "i", memberId: "m2" });
  }),
  sessionCase("one who is replaced is fenced", async (talk) => {
    const words = { instanceId: "i" };
    const { memberEpoch } = await consumerBeat(talk, words);
    await consumerBeat(talk, { ...words, memberEpoch: LEAVES_FOR_A_WHILE });
    const anew = await consumerBeat(talk, { ...words, memberId: "m2" });
    const old = { member: "m1", generation: memberEpoch };
    await commit(talk, { ...old, instance: "i" });
    await commit(talk, { ...old, member: "m2", generation: anew.memberEpoch, instance: "i" });
    await commit(talk, { member: "m2", generation: anew.memberEpoch + 1, instance: "i" });
    await consumerBeat(talk, { ...words, memberEpoch });
    await consumerBeat(talk, { ...words, memberEpoch: LEAVES });
    await consumerBeat(talk, { ...words, memberEpoch: LEAVES_FOR_A_WHILE });
    await consumerBeat(talk, { ...words, memberId: "m2", memberEpoch: anew.memberEpoch });
  }),
];

export const limitCases: readonly Case[] = [
  ...classicCases,
  ...consumerSizeCases,
  ...sessionCases,
];
