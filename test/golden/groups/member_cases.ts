/** SyncGroup, Heartbeat and LeaveGroup of dynamic members. */
import {
  beat,
  describe,
  join,
  joined,
  leave,
  pair,
  sendJoin,
  sendSync,
  stable,
  stablePair,
  subscription,
  sync,
} from "./asks.ts";
import { type Case, one } from "./talk.ts";

const NOBODY = { member: "nobody", generation: 1 };

const syncCases: readonly Case[] = [
  ...[0, 1, 2, 3, 4, 5].map((version) =>
    one(`SyncGroup v${version}, and again`, async (talk) => {
      const member = await joined(talk);
      await sync(talk, { ...member, version, assignments: [[member.member, "mine"]] });
      await sync(talk, { ...member, version });
      await sync(talk, { ...member, version, assignments: [[member.member, "other"]] });
    })
  ),
  ...[0, 5].map((version) =>
    one(
      `SyncGroup v${version} with an empty group id`,
      (talk) => sync(talk, { ...NOBODY, version, group: "" }),
    )
  ),
  ...[0, 5].map((version) =>
    one(`SyncGroup v${version} in no group`, (talk) => sync(talk, { ...NOBODY, version }))
  ),
  one("SyncGroup of an unknown member", async (talk) => {
    await joined(talk);
    await sync(talk, NOBODY);
    await sync(talk, { ...NOBODY, member: "" });
  }),
  one("SyncGroup of other generations", async (talk) => {
    const { member } = await joined(talk);
    for (const generation of [0, 2, -1]) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await sync(talk, { member, generation });
    }
  }),
  one("SyncGroup of other protocols", async (talk) => {
    const member = await joined(talk);
    await sync(talk, { ...member, type: "connect" });
    await sync(talk, { ...member, protocol: "roundrobin" });
    await sync(talk, { ...member, type: null, protocol: "roundrobin" });
    await sync(talk, { ...member, type: null, protocol: null });
  }),
  one("SyncGroup with assignments for members that are not there", async (talk) => {
    const member = await joined(talk);
    const assignments = [["nobody", "theirs"], [member.member, "mine"]] as const;
    await sync(talk, { ...member, assignments });
    await describe(talk);
  }),
  one("SyncGroup with two assignments for one member", async (talk) => {
    const member = await joined(talk);
    const assignments = [[member.member, "first"], [member.member, "last"]] as const;
    await sync(talk, { ...member, assignments });
  }),
  one("SyncGroup with no assignment for one member", async (talk) => {
    const { leader, follower } = await pair(talk);
    await sync(talk, { ...leader, assignments: [[leader.member, "a"]] });
    await sync(talk, { ...follower, via: "second" });
  }),
  one("SyncGroup with the follower's own assignments", async (talk) => {
    const { leader, follower } = await pair(talk);
    const theirs = [[follower.member, "stolen"], [leader.member, "taken"]] as const;
    const sent = await sendSync(talk, { ...follower, assignments: theirs });
    await sent.glance();
    const assignments = [[leader.member, "a"], [follower.member, "b"]] as const;
    await sync(talk, { ...leader, assignments });
    await sent.take();
  }),
  one("SyncGroup while the group is gathering", async (talk) => {
    const { leader, follower } = await stablePair(talk);
    const protocols = [["range", subscription("u")]] as const;
    const sent = await sendJoin(talk, { member: follower.member, protocols });
    await sync(talk, leader);
    await beat(talk, leader);
    await join(talk, { member: leader.member });
    await sent.take();
  }),
  one("SyncGroup that waits while a third joins", async (talk) => {
    const { leader, follower } = await pair(talk);
    const waiting = await sendSync(talk, follower);
    const { memberId } = await join(talk, { via: "third" });
    const third = await sendJoin(talk, { member: memberId, via: "third" });
    await waiting.take();
    await sync(talk, leader);
    const second = await sendJoin(talk, { member: follower.member });
    await join(talk, { member: leader.member });
    await second.take();
    await third.take();
  }),
  one("SyncGroup that waits while its leader leaves", async (talk) => {
    const { leader, follower } = await pair(talk);
    const waiting = await sendSync(talk, follower);
    await leave(talk, [[leader.member]]);
    await waiting.take();
    await join(talk, { member: follower.member, via: "second" });
  }),
];

const heartbeatCases: readonly Case[] = [
  ...[0, 1, 2, 3, 4].map((version) =>
    one(`Heartbeat v${version} of a member, and of others`, async (talk) => {
      const member = await stable(talk);
      await beat(talk, { ...member, version });
      await beat(talk, { ...member, version, generation: 0 });
      await beat(talk, { ...member, version, member: "nobody" });
    })
  ),
  ...[0, 4].map((version) =>
    one(`Heartbeat v${version} in no group`, (talk) => beat(talk, { ...NOBODY, version }))
  ),
  ...[0, 4].map((version) =>
    one(
      `Heartbeat v${version} with an empty group id`,
      (talk) => beat(talk, { ...NOBODY, version, group: "" }),
    )
  ),
  one("Heartbeat with an empty member id", async (talk) => {
    await stable(talk);
    await beat(talk, { member: "", generation: 1 });
    await beat(talk, { member: "", generation: -1 });
  }),
  one("Heartbeat of a generation to come", async (talk) => {
    const { member } = await stable(talk);
    await beat(talk, { member, generation: 2 });
    await beat(talk, { member, generation: -1 });
  }),
  one("Heartbeat before the sync", async (talk) => beat(talk, await joined(talk))),
  one("Heartbeat after leaving", async (talk) => {
    const member = await stable(talk);
    await leave(talk, [[member.member]]);
    await beat(talk, member);
    await beat(talk, { ...member, generation: member.generation + 1 });
  }),
  one("Heartbeat while the group is gathering", async (talk) => {
    const member = await stable(talk);
    const { memberId } = await join(talk, { via: "second" });
    const sent = await sendJoin(talk, { member: memberId });
    await beat(talk, member);
    await beat(talk, { ...member, generation: 0 });
    await beat(talk, { member: memberId, generation: 1 });
    await leave(talk, [[member.member]]);
    await sent.take();
  }),
];

const leaveCases: readonly Case[] = [
  ...[0, 1, 2, 3, 4, 5].map((version) =>
    one(`LeaveGroup v${version} of a member, and again`, async (talk) => {
      const { member } = await stable(talk);
      await leave(talk, [["nobody"]], { version });
      await leave(talk, [[member]], { version });
      await leave(talk, [[member]], { version });
      await describe(talk);
    })
  ),
  ...[0, 3, 5].map((version) =>
    one(`LeaveGroup v${version} in no group`, (talk) => leave(talk, [["nobody"]], { version }))
  ),
  ...[0, 5].map((version) =>
    one(
      `LeaveGroup v${version} with an empty group id`,
      (talk) => leave(talk, [["nobody"]], { version, group: "" }),
    )
  ),
  one("LeaveGroup of nobody", async (talk) => {
    await stable(talk);
    await leave(talk, []);
    await leave(talk, [[""]]);
  }),
  one("LeaveGroup of the leader: the other is alone in generation 3", async (talk) => {
    const { leader, follower } = await stablePair(talk);
    await leave(talk, [[leader.member]]);
    await beat(talk, { ...follower, via: "second" });
    await join(talk, { member: follower.member, via: "second" });
  }),
  one("LeaveGroup of a member whose join waits", async (talk) => {
    const { leader, follower } = await stablePair(talk);
    const protocols = [["range", subscription("u")]] as const;
    const sent = await sendJoin(talk, { member: follower.member, protocols });
    await leave(talk, [[follower.member]]);
    await sent.take();
    await beat(talk, leader);
  }),
];

export const memberCases: readonly Case[] = [...syncCases, ...heartbeatCases, ...leaveCases];
