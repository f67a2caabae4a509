/**
 * Only to tell of patterns that are none here, a log was not called loaded before a program had been made
 * of every pattern in it: with ten thousand of them no group was served for seconds more.
 */
import { expect, test } from "bun:test";
import type { GroupRecord } from "../../src/api/coordinator_record/group_record.ts";
import { Slices } from "../../src/runtime/slices.ts";
import { ShardDriver } from "../../src/runtime/coordinator/shard_driver.ts";
import { DriverFixture } from "../runtime/coordinator/driver_fixture.ts";
import { FakeShard } from "../runtime/coordinator/fake_shard.ts";

const MEMBERS = 20;
const COMPILE_MS = 20;

function member(memberId: string, subscribedTopicRegex: string): GroupRecord {
  return {
    kind: "ConsumerGroupMemberMetadata",
    key: { groupId: "g", memberId },
    value: {
      instanceId: null,
      rackId: null,
      clientId: "",
      clientHost: "",
      subscribedTopicNames: [],
      subscribedTopicRegex,
      rebalanceTimeoutMs: 1,
      serverAssignor: null,
      classicMemberMetadata: null,
    },
  };
}

test("groups are served while patterns of their log are looked at", async () => {
  const fixture = await DriverFixture.open();
  const { clock, events, partition, tools, trace } = fixture;
  fixture.append(...Array.from({ length: MEMBERS }, (_, at) => member(`m${at}`, `${at}(`)));
  await clock.settle();
  const slices = new Slices(clock);
  const machine = new FakeShard();
  machine.replay = (): void => undefined;
  const driver = new ShardDriver({
    partition,
    machine,
    clock,
    now: () => clock.wallMs(),
    tools,
    trace,
    pause: () => slices.next(),
    inTurn: (work) => work(),
    regexes: {
      load: () => undefined,
      compile: () => {
        clock.leap(COMPILE_MS);
        return undefined;
      },
    },
    onLoaded: () => undefined,
    onWritten: () => undefined,
    onGone: () => undefined,
  });
  await clock.settle();
  expect([driver.isLoading, machine.loadedCount]).toEqual([false, 1]);
  await clock.advance(MEMBERS * COMPILE_MS);
  const told = events.filter((event) => event.includes("a pattern of a subscription is none here"));
  expect(told.length).toBe(MEMBERS);
});
