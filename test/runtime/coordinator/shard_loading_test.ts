import { describe, expect, test } from "bun:test";
import type { ConsumerGroupMemberMetadataRecord } from "../../../src/api/coordinator_record/group_record.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import { DriverFixture, isSettled } from "./driver_fixture.ts";
import { FakeShard, offsetRecord, TOPIC } from "./fake_shard.ts";
import { fetchOffset, heartbeat, outcomeOf } from "./group_asks.ts";

const { CoordinatorLoadInProgress } = ErrorCode;

function memberWithPattern(memberId: string, regex: string): ConsumerGroupMemberMetadataRecord {
  return {
    kind: "ConsumerGroupMemberMetadata",
    key: { groupId: "g", memberId },
    value: {
      instanceId: null,
      rackId: null,
      clientId: "",
      clientHost: "/",
      subscribedTopicNames: [],
      subscribedTopicRegex: regex,
      rebalanceTimeoutMs: 1,
      serverAssignor: null,
      classicMemberMetadata: null,
    },
  };
}

describe("ShardDriver, loading", () => {
  test("says that it loads until the log was replayed to its end", async () => {
    const fixture = await DriverFixture.open();
    fixture.append(offsetRecord("g", 5, 0), offsetRecord("h", 6, 0));
    fixture.append(offsetRecord("g", 7, 0));
    await fixture.clock.settle();
    const driver = fixture.drive();
    expect(outcomeOf(driver.ask(fetchOffset("g")))).toBe(CoordinatorLoadInProgress);
    // No member is fenced for that, as in Kafka.
    expect(outcomeOf(driver.ask(heartbeat("g")))).toBe(ErrorCode.None);
    expect(await driver.list({ statesFilter: [], typesFilter: [] })).toBe(
      CoordinatorLoadInProgress,
    );
    await fixture.clock.settle();
    expect(outcomeOf(driver.ask(fetchOffset("g")))).toBe(7);
    expect(outcomeOf(driver.ask(fetchOffset("h")))).toBe(6);
    expect([driver.machine.loadedCount, fixture.loadedCount]).toEqual([1, 1]);
  });

  test("gives others a turn every few milliseconds, whatever the log holds", async () => {
    const fixture = await DriverFixture.open();
    const records = Array.from({ length: 4096 }, (_, at) => offsetRecord(`g${at}`, at, 0));
    fixture.append(...records);
    await fixture.clock.settle();
    const shard = new FakeShard();
    const replay = shard.replay.bind(shard);
    shard.replay = (offset, record): void => {
      fixture.clock.leap(0.1); // 410 ms of work in all
      replay(offset, record);
    };
    const driver = fixture.drive(shard);
    let turns = 0;
    let replayedMost = 0;
    while (driver.isLoading && turns < 100) {
      const before = shard.written.size;
      await fixture.clock.advance(60);
      replayedMost = Math.max(replayedMost, shard.written.size - before);
      turns++;
    }
    expect(turns).toBeGreaterThan(3);
    expect(replayedMost).toBeLessThanOrEqual(1024);
    expect(shard.offsets.size).toBe(4096);
  });

  test("reads a log of many megabytes to its end", async () => {
    const fixture = await DriverFixture.open();
    const metadata = "x".repeat(4000);
    for (let batch = 0; batch < 10; batch++) {
      fixture.append(...Array.from({ length: 100 }, (_, at) => {
        const record = offsetRecord(`g${batch * 100 + at}`, at, 0);
        return {
          ...record,
          value: { ...record.value as NonNullable<typeof record.value>, metadata },
        };
      }));
    }
    const driver = fixture.drive();
    for (let turn = 0; turn < 20 && driver.isLoading; turn++) await fixture.clock.advance(10);
    expect(driver.machine.offsets.size).toBe(1000);
  });

  test("leaves out what it cannot read, and tells of it", async () => {
    const fixture = await DriverFixture.open();
    fixture.append(offsetRecord("g", 5, 0));
    fixture.appendRaw(Uint8Array.of(0, 1, 0, 9), null); // the beginning of an OffsetCommit
    fixture.appendRaw(Uint8Array.of(0, 99), Uint8Array.of(0, 0)); // of a release to come
    fixture.appendRaw(null, null);
    await fixture.clock.settle();
    const driver = fixture.drive();
    await fixture.clock.settle();
    expect(driver.isActive).toBeTrue();
    expect(driver.machine.offsets.size).toBe(1);
    expect(fixture.events.join()).toMatch(/left out .*"records":3,"first":"record 1: it cannot/);
  });

  test("holds answers back until what it has loaded is committed", async () => {
    const fixture = await DriverFixture.open();
    fixture.holdSyncs();
    fixture.append(offsetRecord("g", 5, 0));
    const driver = fixture.drive();
    await fixture.clock.settle();
    const read = driver.ask(fetchOffset("g"));
    expect(await isSettled(read, fixture.clock)).toBeFalse();
    await fixture.releaseSyncs();
    expect(outcomeOf(await read)).toBe(5);
  });

  test("goes, and says so, where the log cannot be read", async () => {
    const fixture = await DriverFixture.open();
    fixture.append(offsetRecord("g", 5, 0));
    await fixture.clock.settle();
    fixture.disk.failNext("read", "io");
    const driver = fixture.drive();
    await fixture.clock.settle();
    expect(fixture.goneDrivers).toEqual([true]);
    expect(driver.isGone).toBeTrue();
  });

  test("waits for what judges patterns, where a member subscribes by one", async () => {
    const fixture = await DriverFixture.open();
    fixture.append(memberWithPattern("m", "a"));
    await fixture.clock.settle();
    let onLoaded: () => void = () => undefined;
    fixture.regexes = new Promise((resolve) => {
      onLoaded = resolve;
    });
    const shard = new FakeShard();
    shard.replay = (): void => undefined;
    const driver = fixture.drive(shard);
    await fixture.clock.settle();
    expect([driver.isLoading, shard.loadedCount]).toEqual([true, 0]);
    onLoaded();
    await fixture.clock.settle();
    expect([driver.isLoading, shard.loadedCount]).toEqual([false, 1]);
  });

  test("tells of a pattern that is none here, and goes on", async () => {
    const fixture = await DriverFixture.open();
    fixture.append(memberWithPattern("m", "a"), memberWithPattern("n", "(".repeat(3000)));
    fixture.append(memberWithPattern("gone", "(gone"));
    fixture.append({ ...memberWithPattern("gone", ""), value: null });
    await fixture.clock.settle();
    const shard = new FakeShard();
    shard.replay = (): void => undefined;
    const driver = fixture.drive(shard);
    await fixture.clock.settle();
    expect([driver.isLoading, shard.loadedCount]).toEqual([false, 1]);
    const told = fixture.events.filter((event) => event.includes("a pattern of a subscription"));
    expect(told.length).toBe(1);
    expect(told[0]).toMatch(/"group":"g","member":"n","pattern":"\({100}","length":3000/);
  });

  test("tells the shard afterwards which topics have gone meanwhile", async () => {
    const fixture = await DriverFixture.open();
    fixture.append(offsetRecord("g", 5, 0));
    await fixture.clock.settle();
    const driver = fixture.drive();
    driver.topicsChanged({ removed: [{ name: TOPIC, topicId: ZERO_UUID }], changed: [] });
    await fixture.clock.settle();
    expect(driver.machine.offsets.size).toBe(0);
    expect(fixture.logEndOffset).toEqual(2);
  });
});
