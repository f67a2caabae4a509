/** Requests of one protocol at a group of the other, and groups that change over. */
import { consumerGroupDescribe } from "../../../src/api/consumer_group_describe.ts";
import {
  beat,
  commit,
  consumerBeat,
  describe,
  fetchOffsets,
  join,
  joined,
  leave,
  stable,
  sync,
} from "./asks.ts";
import { type Case, one, type Talk } from "./talk.ts";
import { bytesOf } from "../../../src/ground/text.ts";

const LEAVES = -1;

function describeConsumers(talk: Talk): Promise<unknown> {
  return talk.ask(consumerGroupDescribe, 1, { groupIds: [talk.group] });
}

export const mixedCases: readonly Case[] = [
  one("A classic request of the native member of a consumer group", async (talk) => {
    const { memberEpoch: generation } = await consumerBeat(talk);
    await join(talk, { member: "m1" });
    await sync(talk, { member: "m1", generation });
    await beat(talk, { member: "m1", generation });
    await leave(talk, [["m1"]]);
    await describeConsumers(talk);
  }),
  one("A classic request of an unknown member at a consumer group", async (talk) => {
    await consumerBeat(talk);
    await join(talk, { member: "nobody" });
    await sync(talk, { member: "nobody", generation: 1 });
    await beat(talk, { member: "nobody", generation: 1 });
    await leave(talk, [["nobody"]]);
    await leave(talk, [["", "i"]]);
    await leave(talk, [["nobody"]], { version: 2 });
  }),
  one("A classic member of another protocol type joins a consumer group", async (talk) => {
    await consumerBeat(talk);
    await join(talk, { type: "connect" });
    await join(talk, { protocols: [] });
    await join(talk, { protocols: [["range", bytesOf("garbage")]] });
    await join(talk, { version: 3, protocols: [["range", bytesOf("garbage")]] });
  }),
  one("A classic member joins a consumer group", async (talk) => {
    await consumerBeat(talk);
    const member = await joined(talk, { via: "second" });
    await sync(talk, { ...member, via: "second" });
    await beat(talk, { ...member, via: "second" });
    await beat(talk, { ...member, generation: member.generation + 1, via: "second" });
    await beat(talk, { ...member, generation: member.generation - 1, via: "second" });
    await sync(talk, { ...member, type: "connect", via: "second" });
    await sync(talk, { ...member, protocol: "other", via: "second" });
    await sync(talk, { ...member, generation: 77, via: "second" });
    await commit(talk, { ...member, version: 8 });
    await commit(talk, { ...member, version: 8, generation: 77 });
    await commit(talk, { member: "m1", generation: 77 });
    await describeConsumers(talk);
    await consumerBeat(talk, { memberId: member.member, memberEpoch: member.generation });
    await leave(talk, [[member.member]]);
    await describeConsumers(talk);
  }),
  one("A consumer group whose last native member leaves becomes classic", async (talk) => {
    await consumerBeat(talk);
    const member = await joined(talk, { via: "second" });
    await consumerBeat(talk, { memberEpoch: LEAVES });
    await describe(talk);
    await beat(talk, { ...member, via: "second" });
    await describeConsumers(talk);
  }),
  one("A static classic member in a consumer group", async (talk) => {
    await consumerBeat(talk);
    const member = await joined(talk, { via: "second", instance: "i" });
    await beat(talk, { ...member, instance: "i" });
    await beat(talk, { ...member, instance: "j" });
    await beat(talk, { ...member, member: "other", instance: "i" });
    await join(talk, { instance: "i", via: "third" });
    await beat(talk, { ...member, instance: "i" });
    await leave(talk, [["", "i"]]);
  }),
  one("A consumer joins a classic group", async (talk) => {
    const member = await stable(talk);
    await consumerBeat(talk, { memberEpoch: 1 });
    const { memberEpoch } = await consumerBeat(talk);
    await describe(talk);
    await describeConsumers(talk);
    await beat(talk, member);
    await commit(talk, { member: "m1", generation: memberEpoch });
    await commit(talk, { ...member, version: 8 });
    await consumerBeat(talk, { memberEpoch: LEAVES });
    await describe(talk);
  }),
  one("A consumer joins a classic group of another protocol type", async (talk) => {
    await stable(talk, { type: "connect", protocols: [["default", bytesOf("x")]] });
    await consumerBeat(talk);
    await consumerBeat(talk, { memberEpoch: LEAVES });
    await describe(talk);
  }),
  one("A consumer joins a classic group with metadata that is no subscription", async (talk) => {
    await stable(talk, { protocols: [["range", bytesOf("garbage")]] });
    await consumerBeat(talk);
    await describe(talk);
  }),
  one("A consumer at a classic group whose members have left", async (talk) => {
    const { member, generation } = await stable(talk);
    await commit(talk, { member, generation });
    await leave(talk, [[member]]);
    await consumerBeat(talk, { memberEpoch: 5 });
    await consumerBeat(talk, { memberEpoch: LEAVES });
    await consumerBeat(talk);
    await fetchOffsets(talk);
    await describeConsumers(talk);
  }),
  one("A consumer at a group that only has offsets", async (talk) => {
    await commit(talk);
    await consumerBeat(talk, { memberEpoch: 5 });
    await consumerBeat(talk);
    await fetchOffsets(talk);
  }),
  one("A classic member at a consumer group whose members have left", async (talk) => {
    const { memberEpoch: generation } = await consumerBeat(talk);
    await commit(talk, { member: "m1", generation });
    await consumerBeat(talk, { memberEpoch: LEAVES });
    await describe(talk);
    await beat(talk, { member: "nobody", generation: 1 });
    await sync(talk, { member: "nobody", generation: 1 });
    await leave(talk, [["nobody"]]);
    await joined(talk);
    await fetchOffsets(talk);
    await describe(talk);
  }),
];
