/** Static members (KIP-345) of classic groups: replaced, fenced, removed by their instance. */
import {
  beat,
  commit,
  describe,
  join,
  joined,
  leave,
  sendJoin,
  sendSync,
  stable,
  subscription,
  sync,
} from "./asks.ts";
import { type Case, one } from "./talk.ts";

export const staticCases: readonly Case[] = [
  ...[5, 9].map((version) =>
    one(
      `JoinGroup v${version} of a static member`,
      (talk) => stable(talk, { version, instance: "i" }),
    )
  ),
  one(
    "A static member that joins anew, unchanged, is replaced without a rebalance",
    async (talk) => {
      const old = await stable(talk, { instance: "i" });
      const { memberId } = await join(talk, { instance: "i", via: "second" });
      await beat(talk, { ...old, instance: "i" });
      await beat(talk, old);
      await join(talk, { member: old.member, instance: "i" });
      await sync(talk, { ...old, instance: "i" });
      await commit(talk, { ...old, instance: "i" });
      await leave(talk, [[old.member, "i"]]);
      await beat(talk, { member: memberId, generation: 1, instance: "i" });
      await sync(talk, { member: memberId, generation: 1, instance: "i", via: "second" });
      await describe(talk);
    },
  ),
  one("JoinGroup v8 of a static leader that joins anew", async (talk) => {
    await stable(talk, { instance: "i", version: 8 });
    await join(talk, { instance: "i", version: 8 });
  }),
  one("A static member that joins anew with new metadata", async (talk) => {
    const old = await stable(talk, { instance: "i" });
    await join(talk, { instance: "i", protocols: [["range", subscription("u")]] });
    await beat(talk, { ...old, instance: "i" });
    await describe(talk);
  }),
  one("A static member that joins anew with another protocol", async (talk) => {
    await stable(talk, { instance: "i" });
    await join(talk, { instance: "i", protocols: [["other", subscription("t")]] });
    await join(talk, { instance: "i", type: "connect" });
  }),
  one("A static follower that joins anew", async (talk) => {
    const leader = await stable(talk);
    const second = await sendJoin(talk, { instance: "f" });
    await join(talk, { member: leader.member });
    const { memberId, generationId: generation } = await second.take();
    await sync(talk, { ...leader, generation, assignments: [[memberId, "theirs"]] });
    const anew = await join(talk, { instance: "f", via: "third" });
    await beat(talk, { member: memberId, generation, instance: "f" });
    await sync(talk, { member: anew.memberId, generation: anew.generationId, instance: "f" });
    await beat(talk, { ...leader, generation });
  }),
  one("A static member that joins anew while the group waits for its leader", async (talk) => {
    const old = await joined(talk, { instance: "i" });
    await join(talk, { instance: "i", via: "second" });
    await beat(talk, { ...old, instance: "i" });
    await describe(talk);
  }),
  one(
    "A static member that waits for its sync is fenced by the one that joins anew",
    async (talk) => {
      const leader = await stable(talk);
      const second = await sendJoin(talk, { instance: "f" });
      await join(talk, { member: leader.member });
      const { memberId: member, generationId: generation } = await second.take();
      const waiting = await sendSync(talk, { member, generation, instance: "f" });
      const anew = await sendJoin(talk, { instance: "f", via: "third" });
      await waiting.take();
      await beat(talk, { ...leader, generation });
      await join(talk, { member: leader.member });
      await anew.take();
    },
  ),
  one("A static member whose join waits is fenced by the one that joins anew", async (talk) => {
    const leader = await stable(talk);
    const second = await sendJoin(talk, { instance: "f" });
    const anew = await sendJoin(talk, { instance: "f", via: "third" });
    await second.take();
    await join(talk, { member: leader.member });
    await anew.take();
  }),
  one("An instance with the id of another member", async (talk) => {
    await stable(talk, { instance: "i" });
    await join(talk, { instance: "i", member: "other" });
    await beat(talk, { instance: "i", member: "other", generation: 1 });
    await sync(talk, { instance: "i", member: "other", generation: 1 });
    await commit(talk, { instance: "i", member: "other", generation: 1 });
  }),
  one("An instance that is unknown, with the id of a member", async (talk) => {
    const member = await stable(talk, { instance: "i" });
    await beat(talk, { ...member, instance: "j" });
    await sync(talk, { ...member, instance: "j" });
    await commit(talk, { ...member, instance: "j" });
    await leave(talk, [[member.member, "j"]]);
  }),
  ...["", ".", "..", "a b", "x".repeat(250), "x".repeat(249), "größe"].map((instance) =>
    one(
      `JoinGroup with the instance "${
        instance.length > 20 ? `${instance.length} letters` : instance
      }"`,
      (talk) => join(talk, { instance }),
    )
  ),
  one("LeaveGroup by instance", async (talk) => {
    const member = await stable(talk, { instance: "i" });
    await leave(talk, [["", "i"]]);
    await beat(talk, { ...member, instance: "i" });
    await describe(talk);
  }),
  one("LeaveGroup by instance with a wrong member id", async (talk) => {
    await stable(talk, { instance: "i" });
    await leave(talk, [["other", "i"]]);
  }),
  one("LeaveGroup of many, some of them unknown", async (talk) => {
    const member = await stable(talk, { instance: "i" });
    await leave(talk, [["", "j"], ["nobody"], [member.member, "i"], ["", "i"]]);
    await describe(talk);
  }),
  one("A static member's session that runs out", async (talk) => {
    const member = await stable(talk, { instance: "i", session: 6000 });
    await talk.pass(6500);
    await beat(talk, { ...member, instance: "i" });
    await describe(talk);
  }),
  one("DescribeGroups v3 and v4 of a static member", async (talk) => {
    await stable(talk, { instance: "i" });
    await describe(talk, 3);
    await describe(talk, 4);
  }),
];
