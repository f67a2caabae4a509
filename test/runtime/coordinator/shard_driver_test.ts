import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { toLeaderEpoch } from "../../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import { DriverFixture, isSettled } from "./driver_fixture.ts";
import { FakeShard, JOIN_MS, TOPIC } from "./fake_shard.ts";
import { commit, fetchOffset, heartbeat, join, outcomeOf } from "./group_asks.ts";

const { CoordinatorNotAvailable, NotCoordinator } = ErrorCode;

describe("ShardDriver.ask()", () => {
  test("appends, replays at once, and answers when the high watermark has passed", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    fixture.holdSyncs();
    const answer = driver.ask(commit("g", 5));
    expect(driver.machine.offsets.get("g")).toBe(5);
    expect(fixture.logEndOffset).toEqual(1);
    expect(await isSettled(answer, fixture.clock)).toBeFalse();
    await fixture.releaseSyncs();
    expect(outcomeOf(await answer)).toBe(ErrorCode.None);
  });

  test("lets a read wait for what its group wrote, and no other group", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    fixture.holdSyncs();
    const written = driver.ask(commit("g", 5));
    const read = driver.ask(fetchOffset("g"));
    const other = driver.ask(fetchOffset("h"));
    expect(other instanceof Promise).toBeFalse();
    expect(await isSettled(read, fixture.clock)).toBeFalse();
    await fixture.releaseSyncs();
    expect([outcomeOf(await written), outcomeOf(await read)]).toEqual([0, 5]);
  });

  test("serves many decisions with one sync", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    const before = fixture.disk.calls["sync"] ?? 0;
    await Promise.all(Array.from({ length: 100 }, (_, at) => driver.ask(commit(`g${at}`, at))));
    expect((fixture.disk.calls["sync"] ?? 0) - before).toBeLessThanOrEqual(2);
    expect(fixture.logEndOffset).toEqual(100);
  });

  test("writes the records of one decision as one batch", async () => {
    const fixture = await DriverFixture.open({ durability: "memory" });
    const driver = fixture.drive();
    expect(outcomeOf(driver.ask(commit("g", 1, 2, 3)))).toBe(ErrorCode.None);
    const slice = await fixture.partition.log.read(
      fixture.partition.log.logStartOffset,
      { bytesMax: 1, upTo: fixture.logEndOffset },
    );
    expect(slice?.nextOffset).toEqual(3);
    expect(driver.machine.writtenOf("g")).toEqual(3);
  });

  test("replays nothing of what the log refuses, and answers with an error", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    fixture.full = "it is full";
    expect(outcomeOf(await driver.ask(commit("g", 5)))).toBe(CoordinatorNotAvailable);
    expect(driver.machine.offsets.size).toBe(0);
    expect(outcomeOf(await driver.ask(heartbeat("g")))).toBe(ErrorCode.None);
    fixture.full = undefined;
    expect(outcomeOf(await driver.ask(commit("g", 6)))).toBe(ErrorCode.None);
    expect(driver.machine.offsets.get("g")).toBe(6);
  });

  test("has nothing written of a batch that the disk did not take whole", async () => {
    const fixture = await DriverFixture.open({ durability: "memory" });
    const driver = fixture.drive();
    fixture.disk.failNext("write", "no-space");
    expect(outcomeOf(await driver.ask(commit("g", 5)))).toBe(CoordinatorNotAvailable);
    expect(fixture.logEndOffset).toEqual(0);
    expect(outcomeOf(await driver.ask(commit("g", 6)))).toBe(ErrorCode.None);
  });
});

describe("ShardDriver, losing its partition", () => {
  test("answers who waits with NOT_COORDINATOR when another broker leads", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    fixture.holdSyncs();
    const written = driver.ask(commit("g", 5));
    const joined = driver.ask(join("g"));
    fixture.partition.assign(toLeaderEpoch(1), false);
    expect(outcomeOf(await written)).toBe(NotCoordinator);
    expect((await joined).errorCode).toBe(NotCoordinator);
    expect(outcomeOf(driver.ask(fetchOffset("g")))).toBe(NotCoordinator);
    expect(fixture.goneDrivers).toEqual([false]);
  });

  test("ends where it leads on in another epoch: others may have written between", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    fixture.partition.assign(toLeaderEpoch(1), true);
    expect(driver.isGone).toBeTrue();
    const next = fixture.drive();
    expect(outcomeOf(await next.ask(commit("g", 5)))).toBe(ErrorCode.None);
  });

  test("answers COORDINATOR_NOT_AVAILABLE when the disk has failed", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    fixture.disk.failNext("sync", "io");
    const written = driver.ask(commit("g", 5));
    const read = driver.ask(fetchOffset("g"));
    expect(outcomeOf(await written)).toBe(CoordinatorNotAvailable);
    expect(outcomeOf(await read)).toBe(NotCoordinator); // clients before Kafka 3.9 know no other
    expect(driver.isGone).toBeTrue();
  });

  test("answers NOT_COORDINATOR when the topic is deleted", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    const joined = driver.ask(join("g"));
    await fixture.partition.close(false);
    expect((await joined).errorCode).toBe(NotCoordinator);
  });
});

describe("ShardDriver, timers", () => {
  test("wakes the shard when its time has come, and no sooner", async () => {
    const fixture = await DriverFixture.open({ durability: "memory" });
    const driver = fixture.drive();
    const joined = driver.ask(join("g"));
    await fixture.clock.advance(JOIN_MS - 1);
    expect(driver.machine.wakeCount).toBe(0);
    await fixture.clock.advance(1);
    expect((await joined).generationId).toBe(1);
    expect([driver.machine.wakeCount, fixture.clock.timerCount]).toEqual([1, 0]);
  });

  test("wakes again a while later where the log took nothing", async () => {
    const fixture = await DriverFixture.open({ durability: "memory" });
    const driver = fixture.drive();
    fixture.full = "it is full";
    const joined = driver.ask(join("g"));
    await fixture.clock.advance(JOIN_MS);
    expect((await joined).errorCode).toBe(CoordinatorNotAvailable);
    await fixture.clock.advance(10_000);
    expect(driver.machine.wakeCount).toBeGreaterThan(5);
    expect(driver.machine.wakeCount).toBeLessThan(40);
    fixture.full = undefined;
    await fixture.clock.advance(1000);
    expect([driver.machine.offsets.get("g"), fixture.clock.timerCount]).toEqual([1000, 0]);
  });

  test("does not go in circles for a shard that wants to be woken for ever", async () => {
    const fixture = await DriverFixture.open();
    const shard = new FakeShard();
    const driver = fixture.drive(shard);
    shard.wake = (): { records: []; replies: [] } => {
      shard.wakeCount++;
      return { records: [], replies: [] };
    };
    void driver.ask(join("g"));
    await fixture.clock.advance(10_000);
    expect(shard.wakeCount).toBeLessThan(10_040);
  });

  test("tells again of a topic that has gone where the log took nothing", async () => {
    const fixture = await DriverFixture.open({ durability: "memory" });
    const driver = fixture.drive();
    await driver.ask(commit("g", 5));
    fixture.full = "it is full";
    driver.topicsChanged({ removed: [{ name: TOPIC, topicId: ZERO_UUID }], changed: [] });
    await fixture.clock.advance(2000);
    expect(driver.machine.offsets.size).toBe(1);
    fixture.full = undefined;
    await fixture.clock.advance(1000);
    expect([driver.machine.offsets.size, fixture.clock.timerCount]).toEqual([0, 0]);
  });

  test("has no timer where nothing is to be done", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    await driver.ask(commit("g", 5));
    expect(fixture.clock.timerCount).toBe(0);
  });

  test("lets no leap of the wall clock end what it waits for", async () => {
    const fixture = await DriverFixture.open({ durability: "memory" });
    const driver = fixture.drive();
    void driver.ask(join("g"));
    fixture.clock.jumpWall(3_600_000);
    await driver.ask(heartbeat("h"));
    await fixture.clock.advance(JOIN_MS / 2);
    expect(driver.machine.wakeCount).toBe(0);
  });
});

describe("ShardDriver.stop()", () => {
  test("answers who would wait for ever, and lets what was decided become durable", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    fixture.holdSyncs();
    const written = driver.ask(commit("g", 5));
    const joined = driver.ask(join("h"));
    driver.stop();
    expect((await joined).errorCode).toBe(NotCoordinator);
    expect(outcomeOf(driver.ask(commit("g", 6)))).toBe(NotCoordinator);
    expect(fixture.clock.timerCount).toBe(0);
    await fixture.releaseSyncs();
    expect(outcomeOf(await written)).toBe(ErrorCode.None);
  });

  test("abandon() answers nobody and leaves no timer", async () => {
    const fixture = await DriverFixture.open();
    const driver = fixture.drive();
    const joined = driver.ask(join("g"));
    driver.abandon();
    expect(await isSettled(joined, fixture.clock)).toBeFalse();
    expect([fixture.clock.timerCount, fixture.goneDrivers.length]).toEqual([0, 0]);
  });
});
