import { describe, expect, test } from "bun:test";
import { DiskFault } from "../../../src/env/disk.ts";
import { NotController } from "../../../src/runtime/quorum/not_controller.ts";
import { settled, takeNumber, TestCluster } from "./quorum_fixture.ts";

describe("three RaftNodes", () => {
  test("elect one leader, decide, and all have the same image", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    for (let number = 1; number <= 20; number++) expect(await cluster.take(leader)).toBe(number);
    expect(await cluster.converge()).toBe(20);
    expect([...cluster.nodes.values()].filter(({ quorum }) => quorum.isLeader)).toHaveLength(1);
  });

  test("a follower does not decide, and names the leader", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    await cluster.converge();
    const { error } = settled(cluster.take(cluster.follower(leader)));
    await cluster.clock.settle();
    const refused = await cluster.take(cluster.follower(leader)).catch((found) => found);
    expect(error === undefined || error instanceof NotController).toBeTrue();
    expect(refused).toBeInstanceOf(NotController);
    expect(refused.leaderId).toBe(leader.id);
    expect(refused.isDefinite).toBeTrue();
  });

  test("what was decided survives the crash of any of them, and of all", async () => {
    for (const how of ["kill", "crash"] as const) {
      const cluster = await TestCluster.start(3);
      let number = 0;
      for (let round = 0; round < 6; round++) {
        const leader = await cluster.leader();
        number = await cluster.take(leader);
        const victim = round % 2 === 0 ? leader : cluster.follower(leader);
        await cluster.open(victim.id, cluster.end(victim.id, how));
      }
      const disks = [1, 2, 3].map((id) => cluster.end(id, how));
      for (const [index, disk] of disks.entries()) await cluster.open(index + 1, disk);
      await cluster.leader();
      expect(await cluster.converge()).toBe(number);
      expect(number).toBe(6);
    }
  });

  test("a decision without records waits until leadership is confirmed", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    cluster.isolate(leader.id);
    const asked = settled(leader.quorum.propose(() => ({ records: [], reply: "seen" })));
    await cluster.clock.advance(50);
    expect(asked.value).toBeUndefined();
    await cluster.until(() => asked.error !== undefined, "it is refused");
    expect(asked.error).toBeInstanceOf(NotController);
    cluster.heal();
    const next = await cluster.leader();
    const answer = next.quorum.propose(() => ({ records: [], reply: "seen" }));
    expect(await cluster.clock.until(answer)).toBe("seen");
  });
});

describe("propose() while leadership is lost", () => {
  test("is unknown where the batch may be committed yet, and others take its place", async () => {
    const cluster = await TestCluster.start(3);
    const old = await cluster.leader();
    await cluster.take(old);
    await cluster.converge();
    cluster.isolate(old.id);
    const asked = settled(old.quorum.propose(takeNumber));
    const waiting = settled(old.quorum.propose(takeNumber));
    await cluster.until(() => asked.error !== undefined, "the outcome is told");
    expect((asked.error as NotController).isDefinite).toBeFalse();
    await cluster.until(() => waiting.error !== undefined, "the next one is told");
    expect((waiting.error as NotController).isDefinite).toBeTrue(); // nothing of it was written
    const next = await cluster.leader();
    expect(next.id).not.toBe(old.id);
    expect(await cluster.take(next)).toBe(2);
    cluster.heal();
    expect(await cluster.converge()).toBe(2);
  });

  test("is definite where another batch was committed in its place", async () => {
    const cluster = await TestCluster.start(3);
    const old = await cluster.leader();
    await cluster.converge();
    cluster.isolate(old.id);
    const asked = settled(old.quorum.propose(takeNumber));
    await cluster.clock.settle();
    // The others have elected somebody before the old leader gives up waiting for the outcome.
    await cluster.until(
      () => [...cluster.nodes.values()].some((node) => node !== old && node.quorum.isLeader),
      "another leads",
    );
    cluster.heal();
    await cluster.until(() => asked.error !== undefined, "the outcome is told");
    expect(asked.error).toBeInstanceOf(NotController);
    expect((asked.error as NotController).isDefinite).toBeTrue();
    expect(await cluster.converge()).toBe(0);
  });

  test("is done where the next leader has the batch and commits it", async () => {
    const cluster = await TestCluster.start(3);
    const old = await cluster.leader();
    await cluster.converge();
    // The batch arrives; no acknowledgement does.
    cluster.onMessage = (to, message) =>
      to === old.id && message.kind === "AppendReply" ? undefined : message;
    const asked = settled(old.quorum.propose(takeNumber));
    await cluster.clock.advance(20);
    expect(asked.value).toBeUndefined();
    await cluster.until(() => !old.quorum.isLeader, "it leads no more");
    cluster.onMessage = (_to, message) => message;
    await cluster.until(() => asked.value !== undefined || asked.error !== undefined, "outcome");
    expect(asked.value).toBe(1);
    expect(await cluster.converge()).toBe(1);
  });
});

describe("a full or broken disk", () => {
  test("of a follower: it is silent, and goes on by itself when there is room", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    await cluster.converge();
    const follower = cluster.follower(leader);
    const before = follower.storage.logEndOffset;
    follower.disk.roomBytes = 0;
    for (let number = 1; number <= 5; number++) expect(await cluster.take(leader)).toBe(number);
    await cluster.clock.advance(500);
    expect(follower.storage.logEndOffset).toBe(before);
    expect(follower.quorum.image.nextProducerId).toBe(0);
    expect(leader.quorum.isLeader).toBeTrue();
    expect(follower.diskFaults).toHaveLength(0);
    follower.disk.roomBytes = Infinity;
    expect(await cluster.converge()).toBe(5);
  });

  test("of a leader: the decision is refused, nothing of it is left, another one leads", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    await cluster.take(leader);
    leader.disk.roomBytes = 0;
    const refused = await cluster.take(leader).catch((found) => found);
    expect(refused).toBeInstanceOf(DiskFault);
    expect(leader.diskFaults).toHaveLength(0);
    await cluster.until(
      () => [...cluster.nodes.values()].some((node) => node !== leader && node.quorum.isLeader),
      "one with room leads",
    );
    expect(await cluster.take(await cluster.leader())).toBe(2);
    leader.disk.roomBytes = Infinity;
    expect(await cluster.converge()).toBe(2);
  });

  test("of a leader that breaks: its owner hears of it, the others go on", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    await cluster.take(leader);
    await cluster.converge();
    leader.disk.failNext("sync", "io", true);
    const asked = settled(leader.quorum.propose(takeNumber));
    await cluster.until(() => asked.error !== undefined, "it is refused");
    expect(asked.error).toBeInstanceOf(DiskFault);
    expect(leader.diskFaults).toHaveLength(1);
    cluster.nodes.delete(leader.id);
    const next = await cluster.leader();
    const number = await cluster.take(next);
    expect(number === 2 || number === 3).toBeTrue(); // the first one may have reached the others
    expect(await cluster.converge()).toBe(number);
  });

  test("alone: a vote for which there is no room keeps it from starting, and says so", async () => {
    const cluster = new TestCluster(1);
    const { newDisk } = await import("./quorum_fixture.ts");
    const disk = newDisk();
    disk.failNext("write", "no-space", true);
    const node = await cluster.open(1, disk);
    await expect(cluster.clock.until(node.quorum.node.whenReady())).rejects.toThrow("Cannot write");
    disk.healFaults();
    await cluster.until(() => node.quorum.isLeader, "it leads when there is room");
  });
});

describe("messages that do not hold what they say", () => {
  test("are refused, counted and told of, and change nothing", async () => {
    const cluster = await TestCluster.start(3);
    const leader = await cluster.leader();
    await cluster.converge();
    const victim = cluster.follower(leader);
    const before = victim.storage.logEndOffset;
    let damaged = 0;
    cluster.onMessage = (to, message) => {
      if (to !== victim.id || message.kind !== "AppendRequest") return message;
      if (message.entries.length === 0) return message;
      const records = message.records.slice();
      records[records.length - 1] = (records.at(-1) ?? 0) ^ 1;
      return damaged++ % 2 === 0
        ? { ...message, records }
        : { ...message, records: message.records.subarray(1) };
    };
    expect(await cluster.take(leader)).toBe(1);
    await cluster.clock.advance(1000);
    expect(damaged).toBeGreaterThan(0);
    expect(victim.storage.logEndOffset).toBe(before);
    expect(victim.quorum.node.refusedCount).toBe(damaged);
    expect(victim.events.filter((event) => event.includes("is refused"))).toHaveLength(1);
    cluster.onMessage = (_to, message) => message;
    expect(await cluster.converge()).toBe(1);
  });
});
