import { expect, test } from "bun:test";
import { refuseGroupSettings } from "../../../src/runtime/coordinator/group_settings_of.ts";
import { UnreadTimes } from "../../../src/runtime/coordinator/unread_times.ts";
import { DriverFixture } from "./driver_fixture.ts";

test("the time of a first unread record is told of the offset it was looked up for, and no other", async () => {
  const fixture = await DriverFixture.open();
  for (let count = 0; count < 2; count++) fixture.appendRaw(null, new Uint8Array(1));
  await fixture.clock.settle();
  const times = new UnreadTimes(fixture.clock);
  const { partition } = fixture;
  const at = (offset: number): { key: string; offset: number; partition: typeof partition } => {
    return { key: "g orders-0", offset, partition };
  };
  expect(times.get(at(0))).toBeUndefined();
  await times.look([at(0)]);
  expect([times.get(at(0)), times.get(at(1))]).toEqual([1, undefined]);
  await times.look([]);
  expect(times.get(at(0))).toBeUndefined();
});

test("a session must be longer than the time between two heartbeats", () => {
  const settings = (beatMs: number): Parameters<typeof refuseGroupSettings>[0] => ({
    get: ((name: string) => {
      if (name === "group.consumer.heartbeat.interval.ms") return beatMs;
      return name.includes(".min.") ? 1 : name.includes(".max.") ? 100_000 : 45_000;
    }) as never,
  });
  expect(refuseGroupSettings(settings(44_999))).toBeUndefined();
  expect(refuseGroupSettings(settings(45_000))?.name).toBe("group.consumer.heartbeat.interval.ms");
});
