/** OffsetCommit: of nobody, of members of either protocol, of what is not there, of too much. */
import { createTopics } from "../../../src/api/create_topics.ts";
import { deleteTopics } from "../../../src/api/delete_topics.ts";
import { offsetCommit } from "../../../src/api/offset_commit.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import {
  commit,
  consumerBeat,
  describe,
  fetchOffsets,
  join,
  joined,
  leave,
  pair,
  sendJoin,
  stable,
} from "./asks.ts";
import { type Case, one } from "./talk.ts";
import { createTopic } from "./topics.ts";

const UNKNOWN_ID = "AAAAAAAAAAAAAAAAAAAAAQ" as Uuid;
/** Within this a broker has heard of what its controller has decided. */
const METADATA_MS = 500;
const METADATA_BYTES_MAX = 4096;

export const commitCases: readonly Case[] = [
  ...[2, 3, 4, 5, 6, 7, 8, 9, 10].map((version) =>
    one(`OffsetCommit v${version} of nobody, read again`, async (talk) => {
      await commit(talk, { version });
      await fetchOffsets(talk);
    })
  ),
  ...[2, 8, 9].map((version) =>
    one(
      `OffsetCommit v${version} with an empty group id`,
      (talk) => commit(talk, { version, group: "" }),
    )
  ),
  ...[8, 9].map((version) =>
    one(`OffsetCommit v${version} of a member in no group`, async (talk) => {
      await commit(talk, { version, member: "nobody", generation: 1 });
      await commit(talk, { version, member: "nobody", generation: -1 });
      await commit(talk, { version, member: "", generation: 0 });
      await commit(talk, { version, instance: "i" });
    })
  ),
  one("OffsetCommit of a member", async (talk) => {
    const member = await stable(talk);
    await commit(talk, member);
    await commit(talk, { ...member, offset: 3, metadata: "" });
    await fetchOffsets(talk);
  }),
  one("OffsetCommit of other generations", async (talk) => {
    const { member } = await stable(talk);
    for (const generation of [0, 2, -1]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await commit(talk, { member, generation });
    }
  }),
  one("OffsetCommit of nobody while members live", async (talk) => {
    await stable(talk);
    await commit(talk);
    await commit(talk, { version: 8 });
    await commit(talk, { generation: 1 });
  }),
  one("OffsetCommit of an unknown member while members live", async (talk) => {
    await stable(talk);
    await commit(talk, { member: "nobody", generation: 1 });
    await commit(talk, { member: "nobody", generation: -1 });
  }),
  one("OffsetCommit of nobody when all have left", async (talk) => {
    const { member } = await stable(talk);
    await leave(talk, [[member]]);
    await commit(talk, { member, generation: 1 });
    await commit(talk);
    await fetchOffsets(talk);
  }),
  one("OffsetCommit before the sync", async (talk) => commit(talk, await joined(talk))),
  one("OffsetCommit while the group is gathering", async (talk) => {
    const member = await stable(talk);
    const { memberId } = await join(talk, { via: "second" });
    const sent = await sendJoin(talk, { member: memberId });
    await commit(talk, member);
    await join(talk, { member: member.member });
    await sent.take();
    await commit(talk, member);
  }),
  one("OffsetCommit of the generation before", async (talk) => {
    const { leader } = await pair(talk);
    await commit(talk, { member: leader.member, generation: 1 });
    await commit(talk, leader);
  }),
  one("OffsetCommit to a topic that is not there", async (talk) => {
    await commit(talk, { topic: "missing" });
    await fetchOffsets(talk, { topics: null });
  }),
  one("OffsetCommit to partitions that are not there", async (talk) => {
    await commit(talk, { partitions: [0, 2, -1, 100_000] });
    await fetchOffsets(talk, { topics: null });
  }),
  one("OffsetCommit to no partitions", (talk) => commit(talk, { partitions: [] })),
  one("OffsetCommit to no topics", async (talk) => {
    await talk.ask(offsetCommit, 9, { groupId: talk.group, memberId: "", topics: [] });
    await describe(talk);
  }),
  one("OffsetCommit to a partition twice", async (talk) => {
    await commit(talk, { partitions: [0, 0] });
    await fetchOffsets(talk);
  }),
  ...[-1, -2, 0, Number.MAX_SAFE_INTEGER].map((offset) =>
    one(`OffsetCommit of the offset ${offset}`, async (talk) => {
      await commit(talk, { offset });
      await fetchOffsets(talk);
    })
  ),
  one("OffsetCommit of null metadata", async (talk) => {
    await commit(talk, { metadata: null });
    await fetchOffsets(talk);
    await fetchOffsets(talk, { version: 1 });
  }),
  ...[0, 1].map((more) =>
    one(`OffsetCommit of metadata of the limit and ${more} more`, async (talk) => {
      await commit(talk, { metadata: "x".repeat(METADATA_BYTES_MAX + more) });
      await fetchOffsets(talk);
    })
  ),
  one(
    "OffsetCommit of metadata within the limit in characters, beyond it in bytes",
    async (talk) => {
      await commit(talk, { metadata: "ö".repeat(METADATA_BYTES_MAX - 1) });
    },
  ),
  one("OffsetCommit of too much metadata beside what is right", async (talk) => {
    const partition = { partitionIndex: 0, committedOffset: 1 };
    const partitions = [
      { ...partition, committedMetadata: "x".repeat(METADATA_BYTES_MAX + 1) },
      { ...partition, partitionIndex: 1, committedMetadata: "" },
    ];
    const topics = [{ name: "t", partitions }, { name: "missing", partitions }];
    await talk.ask(offsetCommit, 9, { groupId: talk.group, memberId: "", topics });
    await fetchOffsets(talk);
  }),
  one("OffsetCommit with a time of retention", async (talk) => {
    await talk.ask(offsetCommit, 3, {
      groupId: talk.group,
      memberId: "",
      retentionTimeMs: 1,
      topics: [{
        name: "t",
        partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }],
      }],
    });
    await fetchOffsets(talk);
  }),
  one("OffsetCommit v10 to ids that are not there", async (talk) => {
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }];
    const ids = [UNKNOWN_ID, talk.topicId("t"), "AAAAAAAAAAAAAAAAAAAAAA" as Uuid];
    await talk.ask(offsetCommit, 10, {
      groupId: talk.group,
      memberId: "",
      topics: ids.map((topicId) => ({ topicId, partitions })),
    });
    await fetchOffsets(talk);
  }),
  one("OffsetCommit to a topic that is deleted then", async (talk) => {
    const name = `${talk.group}-gone`;
    await createTopic((body) => talk.arrange(createTopics, 7, body), name, 1);
    await talk.pass(METADATA_MS);
    await commit(talk, { topic: name });
    await fetchOffsets(talk, { topics: null });
    await talk.arrange(deleteTopics, 5, { topicNames: [name], timeoutMs: 10_000 });
    await talk.pass(METADATA_MS);
    await fetchOffsets(talk, { topics: null });
    await fetchOffsets(talk, { topics: [[name, 0]] });
  }),
  one("OffsetCommit v9 of a member of the consumer protocol", async (talk) => {
    const { memberEpoch } = await consumerBeat(talk);
    await commit(talk, { member: "m1", generation: memberEpoch });
    await commit(talk, { member: "m1", generation: memberEpoch - 1 });
    await commit(talk, { member: "m1", generation: memberEpoch + 1 });
    await commit(talk, { member: "m1", generation: -1 });
    await commit(talk, { member: "nobody", generation: memberEpoch });
    await commit(talk);
    await commit(talk, { version: 8, member: "m1", generation: memberEpoch });
    await fetchOffsets(talk, { version: 7 });
  }),
];
