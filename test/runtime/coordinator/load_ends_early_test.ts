/** Loads that are overtaken: by the end of the leadership, by a log whose start moves. */
import { expect, test } from "bun:test";
import { toLeaderEpoch } from "../../../src/ground/numbers.ts";
import { DriverFixture } from "./driver_fixture.ts";
import { offsetRecord } from "./fake_shard.ts";
import { fetchOffset, outcomeOf } from "./group_asks.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";

test("a driver that is gone before its patterns can be judged stays gone", async () => {
  const fixture = await DriverFixture.open();
  fixture.append({
    kind: "ConsumerGroupMemberMetadata",
    key: { groupId: "g", memberId: "m" },
    value: {
      instanceId: null,
      rackId: null,
      clientId: "",
      clientHost: "/",
      subscribedTopicNames: [],
      subscribedTopicRegex: "a",
      rebalanceTimeoutMs: 1,
      serverAssignor: null,
      classicMemberMetadata: null,
    },
  });
  await fixture.clock.settle();
  const judges = Promise.withResolvers<void>();
  fixture.regexes = judges.promise;
  const driver = fixture.drive();
  driver.machine.replay = () => undefined;
  await fixture.clock.settle();
  fixture.partition.assign(toLeaderEpoch(1), false);
  judges.resolve();
  await fixture.clock.settle();
  expect([driver.isGone, driver.isActive, driver.machine.loadedCount]).toEqual([true, false, 0]);
  expect(outcomeOf(driver.ask(fetchOffset("g")))).toBe(ErrorCode.NotCoordinator);
});

test("a log whose start has moved beyond is read from there", async () => {
  const fixture = await DriverFixture.open();
  fixture.append(offsetRecord("g", 5, 0));
  await fixture.clock.settle();
  const { log } = fixture.partition;
  const read = log.read.bind(log);
  let count = 0;
  log.read = (...words) => count++ === 0 ? undefined : read(...words);
  const driver = fixture.drive();
  await fixture.clock.settle();
  expect(outcomeOf(driver.ask(fetchOffset("g")))).toBe(5);
});
