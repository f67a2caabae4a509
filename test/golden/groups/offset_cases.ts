/** OffsetFetch and OffsetDelete; what OffsetCommit answers is in `commit_cases.ts`. */
import { offsetDelete } from "../../../src/api/offset_delete.ts";
import { offsetFetch } from "../../../src/api/offset_fetch.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import {
  beat,
  commit,
  consumerBeat,
  describe,
  fetchOffsets,
  join,
  leave,
  sendJoin,
  stable,
} from "./asks.ts";
import { type Case, one, type Talk } from "./talk.ts";

const UNKNOWN_ID = "AAAAAAAAAAAAAAAAAAAAAQ" as Uuid;

const fetchCases: readonly Case[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((version) =>
    one(`OffsetFetch v${version} of one with and one without a commit`, async (talk) => {
      await commit(talk);
      await fetchOffsets(talk, { version });
    })
  ),
  ...[2, 7, 8, 9, 10].map((version) =>
    one(`OffsetFetch v${version} of all`, async (talk) => {
      await commit(talk);
      await commit(talk, { topic: "u" });
      await fetchOffsets(talk, { version, topics: null });
    })
  ),
  ...[1, 7, 9].map((version) =>
    one(`OffsetFetch v${version} of none`, async (talk) => {
      await commit(talk);
      await fetchOffsets(talk, { version, topics: [] });
    })
  ),
  ...[1, 2, 7, 8, 9].map((version) =>
    one(
      `OffsetFetch v${version} of a group that is not there`,
      (talk) => fetchOffsets(talk, { version }),
    )
  ),
  one(
    "OffsetFetch of all of a group that is not there",
    (talk) => fetchOffsets(talk, { topics: null }),
  ),
  ...[1, 7, 9].map((version) =>
    one(
      `OffsetFetch v${version} with an empty group id`,
      (talk) => fetchOffsets(talk, { version, group: "" }),
    )
  ),
  one("OffsetFetch of topics and partitions that are not there", async (talk) => {
    await commit(talk);
    await fetchOffsets(talk, { topics: [["missing", 0], ["t", 0, 7, -1]] });
    await fetchOffsets(talk, { version: 7, topics: [["missing", 0], ["t", 7]], isStable: true });
  }),
  one("OffsetFetch of a partition twice, and of no partitions", async (talk) => {
    await commit(talk);
    await fetchOffsets(talk, { topics: [["t", 0, 0], ["u"]] });
  }),
  ...[7, 9].map((version) =>
    one(`OffsetFetch v${version} of what is stable`, async (talk) => {
      await commit(talk);
      await fetchOffsets(talk, { version, isStable: true });
      await fetchOffsets(talk, { version, topics: null, isStable: true });
    })
  ),
  one("OffsetFetch of many groups", async (talk) => {
    await commit(talk);
    const other = `${talk.group}-other`;
    await commit(talk, { group: other, offset: 9 });
    const topics = [{ name: "t", partitionIndexes: [0] }];
    const groupIds = [talk.group, other, `${talk.group}-missing`, ""];
    for (const version of [8, 9]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await talk.ask(offsetFetch, version, {
        groups: groupIds.map((groupId) => ({ groupId, topics })),
      });
    }
  }),
  one("OffsetFetch of no groups", (talk) => talk.ask(offsetFetch, 9, { groups: [] })),
  one("OffsetFetch of a group twice", async (talk) => {
    await commit(talk);
    const groups = [0, 1].map((partition) => ({
      groupId: talk.group,
      topics: [{ name: "t", partitionIndexes: [partition] }],
    }));
    await talk.ask(offsetFetch, 9, { groups });
  }),
  one("OffsetFetch v9 as a member of a classic group", async (talk) => {
    const { member, generation } = await stable(talk);
    await commit(talk, { member, generation });
    await fetchOffsets(talk, { member, epoch: generation });
    await fetchOffsets(talk, { member: "nobody", epoch: 7 });
  }),
  one("OffsetFetch v9 as a member of the consumer protocol", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    await commit(talk, { member: "m1", generation: memberEpoch });
    for (const epoch of [memberEpoch, memberEpoch - 1, memberEpoch + 1, -1]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await fetchOffsets(talk, { member: "m1", epoch });
    }
    await fetchOffsets(talk, { member: "nobody", epoch: memberEpoch });
    await fetchOffsets(talk, { member: "nobody", epoch: memberEpoch, topics: null });
    await fetchOffsets(talk, { member: "", epoch: memberEpoch });
    await fetchOffsets(talk);
  }),
  one("OffsetFetch v10 of ids that are not there", async (talk) => {
    await commit(talk);
    const topics = [UNKNOWN_ID, talk.topicId("t")].map((topicId) => ({
      topicId,
      partitionIndexes: [0],
    }));
    await talk.ask(offsetFetch, 10, { groups: [{ groupId: talk.group, topics }] });
  }),
];

function deleteOffsets(
  talk: Talk,
  topics: readonly (readonly [topic: string, ...partitions: readonly number[]])[],
  group = talk.group,
): Promise<unknown> {
  return talk.ask(offsetDelete, 0, {
    groupId: group,
    topics: topics.map(([name, ...partitions]) => ({
      name,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
    })),
  });
}

const deleteCases: readonly Case[] = [
  one("OffsetDelete in no group", (talk) => deleteOffsets(talk, [["t", 0]])),
  one("OffsetDelete with an empty group id", (talk) => deleteOffsets(talk, [["t", 0]], "")),
  one("OffsetDelete of a group that only has offsets", async (talk) => {
    await commit(talk, { partitions: [0, 1] });
    await deleteOffsets(talk, [["t", 0, 7], ["missing", 0], ["u", 0]]);
    await fetchOffsets(talk, { topics: null });
  }),
  one("OffsetDelete of the last offset of a group", async (talk) => {
    await commit(talk);
    await deleteOffsets(talk, [["t", 0]]);
    await describe(talk);
  }),
  one("OffsetDelete of nothing", async (talk) => {
    await commit(talk);
    await deleteOffsets(talk, []);
    await deleteOffsets(talk, [["t"]]);
  }),
  one("OffsetDelete of a topic that is subscribed, and of one that is not", async (talk) => {
    const member = await stable(talk);
    await commit(talk, member);
    await commit(talk, { ...member, topic: "u" });
    await deleteOffsets(talk, [["t", 0], ["u", 0]]);
    await fetchOffsets(talk, { topics: null });
  }),
  one("OffsetDelete of a group that has members of another protocol type", async (talk) => {
    const member = await stable(talk, { type: "connect" });
    await commit(talk, member);
    await deleteOffsets(talk, [["t", 0]]);
  }),
  one("OffsetDelete while the group is gathering", async (talk) => {
    const member = await stable(talk);
    await commit(talk, member);
    const { memberId } = await join(talk, { via: "second" });
    const sent = await sendJoin(talk, { member: memberId });
    await deleteOffsets(talk, [["t", 0], ["u", 0]]);
    await leave(talk, [[member.member]]);
    await sent.take();
  }),
  one("OffsetDelete of a group whose members have left", async (talk) => {
    const member = await stable(talk);
    await commit(talk, member);
    await leave(talk, [[member.member]]);
    await deleteOffsets(talk, [["t", 0]]);
    await beat(talk, member);
  }),
  one("OffsetDelete of a group of the consumer protocol", async (talk) => {
    const { memberEpoch: generation } = await consumerBeat(talk);
    await commit(talk, { member: "m1", generation });
    await commit(talk, { member: "m1", generation, topic: "u" });
    await deleteOffsets(talk, [["t", 0], ["u", 0]]);
    await fetchOffsets(talk, { topics: null });
  }),
];

export const offsetCases: readonly Case[] = [...fetchCases, ...deleteCases];
