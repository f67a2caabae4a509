/** JoinGroup: versions, what is refused, votes, rejoining, and what a rebalance does to others. */
import {
  beat,
  describe,
  join,
  joined,
  leave,
  pair,
  RANGE,
  ROUND_ROBIN,
  sendJoin,
  stable,
  stablePair,
  subscription,
  sync,
} from "./asks.ts";
import { type Case, one } from "./talk.ts";
import { bytesOf } from "../../../src/ground/text.ts";

const VERSIONS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const OLD = 3; // the last version without MEMBER_ID_REQUIRED

export const joinCases: readonly Case[] = [
  ...VERSIONS.map((version) =>
    one(`JoinGroup v${version} makes a member`, (talk) => joined(talk, { version }))
  ),
  ...[0, 5, 9].map((version) =>
    one(
      `JoinGroup v${version} with an empty group id`,
      (talk) => join(talk, { version, group: "" }),
    )
  ),
  one("JoinGroup with a group id of 30000 characters", async (talk) => {
    const group = talk.group.padEnd(30_000, "x");
    const { member, generation } = await joined(talk, { group });
    await beat(talk, { group, member, generation });
    await leave(talk, [[member]], { group });
  }),
  one(
    "JoinGroup with a group id beyond int16",
    (talk) => join(talk, { group: talk.group.padEnd(40_000, "x") }),
  ),
  ...[5999, 6000, 1_800_000, 1_800_001, 0, -1].map((session) =>
    one(`JoinGroup with a session timeout of ${session} ms`, (talk) => join(talk, { session }))
  ),
  one("JoinGroup with a negative rebalance timeout", (talk) => joined(talk, { rebalance: -1 })),
  one("JoinGroup with an unknown member in no group", (talk) => join(talk, { member: "nobody" })),
  one(
    "JoinGroup v3 with an unknown member in no group",
    (talk) => join(talk, { member: "nobody", version: OLD }),
  ),
  one("JoinGroup with an unknown member in a group", async (talk) => {
    await stable(talk);
    await join(talk, { member: "nobody" });
    await join(talk, { member: "nobody", version: OLD });
  }),
  one("JoinGroup with an unknown member and an unknown instance", async (talk) => {
    await stable(talk);
    await join(talk, { member: "nobody", instance: "i" });
  }),
  one("JoinGroup without protocols", (talk) => join(talk, { protocols: [] })),
  one("JoinGroup v3 without protocols", (talk) => join(talk, { protocols: [], version: OLD })),
  one("JoinGroup without a protocol type", (talk) => join(talk, { type: "" })),
  one("JoinGroup v3 without a protocol type", (talk) => join(talk, { type: "", version: OLD })),
  one(
    "JoinGroup with the same protocol twice",
    (talk) => joined(talk, { protocols: [RANGE, ["range", subscription("u")]] }),
  ),
  one("JoinGroup with another protocol type than the group's", async (talk) => {
    await stable(talk);
    await join(talk, { type: "connect" });
    await join(talk, { type: "connect", version: OLD });
  }),
  one("JoinGroup with no protocol of the group's", async (talk) => {
    await stable(talk);
    await join(talk, { protocols: [ROUND_ROBIN] });
    await join(talk, { protocols: [] });
  }),
  one(
    "JoinGroup with metadata that is no subscription",
    (talk) => joined(talk, { protocols: [["range", bytesOf("garbage")]] }),
  ),
  one("JoinGroup of a protocol type of its own", async (talk) => {
    const words = { type: "connect", protocols: [["default", bytesOf("x")]] as const };
    await stable(talk, words);
    await describe(talk);
  }),
  one("JoinGroup again with nothing new, as the leader of a stable group", async (talk) => {
    const { member } = await stable(talk);
    await join(talk, { member });
  }),
  one("JoinGroup again with nothing new, as a follower of a stable group", async (talk) => {
    const { follower } = await stablePair(talk);
    await join(talk, { member: follower.member, via: "second" });
    await describe(talk);
  }),
  one("JoinGroup again with new metadata, as a follower", async (talk) => {
    const { leader, follower } = await stablePair(talk);
    const protocols = [["range", subscription("u")]] as const;
    const sent = await sendJoin(talk, { member: follower.member, protocols });
    await sent.glance();
    await beat(talk, leader);
    await join(talk, { member: leader.member });
    await sent.take();
  }),
  one("JoinGroup again before anybody has synced", async (talk) => {
    const { leader, follower } = await pair(talk);
    await join(talk, { member: follower.member, via: "second" });
    await join(talk, { member: leader.member });
    await describe(talk);
  }),
  one(
    "JoinGroup of a second member: the first is told, and both are in generation 2",
    async (talk) => {
      const { leader, follower } = await stablePair(talk);
      await beat(talk, leader);
      await beat(talk, { ...follower, via: "second" });
      await describe(talk);
    },
  ),
  one("JoinGroup of a second member before the first has synced", async (talk) => {
    const first = await joined(talk);
    const { memberId } = await join(talk, { via: "second" });
    const sent = await sendJoin(talk, { member: memberId });
    await sent.glance();
    await sync(talk, first);
    await beat(talk, first);
    await join(talk, { member: first.member });
    await sent.take();
  }),
  one("JoinGroup votes for the protocol that most name first", async (talk) => {
    const first = await stable(talk, { protocols: [RANGE, ROUND_ROBIN] });
    const protocols = [ROUND_ROBIN, RANGE];
    const sent: Awaited<ReturnType<typeof sendJoin>>[] = [];
    for (const via of ["second", "third"]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      const { memberId } = await join(talk, { via, protocols });
      // deno-lint-ignore no-await-in-loop -- one after the other
      sent.push(await sendJoin(talk, { via, protocols, member: memberId }));
    }
    await join(talk, { member: first.member, protocols: [RANGE, ROUND_ROBIN] });
    for (const each of sent) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await each.take();
    }
  }),
  one("JoinGroup leaves out who does not come again in time", async (talk) => {
    const words = { session: 6000, rebalance: 1000 };
    const first = await stable(talk, words);
    const { memberId } = await join(talk, { ...words, via: "second" });
    const sent = await sendJoin(talk, { ...words, member: memberId });
    await sent.take();
    await beat(talk, first);
    await describe(talk);
  }),
  one("JoinGroup with the id of a member that has not come back yet", async (talk) => {
    const { memberId } = await join(talk);
    await describe(talk);
    await beat(talk, { member: memberId, generation: 0 });
    await sync(talk, { member: memberId, generation: 0 });
    await leave(talk, [[memberId]]);
    await join(talk, { member: memberId });
  }),
  one("JoinGroup with an id whose second round never came", async (talk) => {
    await stable(talk);
    const { memberId } = await join(talk, { session: 6000 });
    await talk.pass(6500);
    await join(talk, { member: memberId });
  }),
  one("A session that runs out", async (talk) => {
    const member = await stable(talk, { session: 6000 });
    await talk.pass(4000);
    await beat(talk, member);
    await talk.pass(4000);
    await beat(talk, member);
    await talk.pass(6500);
    await beat(talk, member);
    await describe(talk);
  }),
  one("A rebalance of a leader that never syncs", async (talk) => {
    const member = await joined(talk, { session: 6000, rebalance: 1000 });
    await talk.pass(2000);
    await beat(talk, member);
    await describe(talk);
  }),
];
