import { describe, expect, test } from "bun:test";
import { makeBatch } from "../log/log_fixture.ts";
import { batchOf, type Fixture, startBroker } from "./broker_fixture.ts";
import {
  becomeMember,
  commit,
  FEW_PARTITIONS,
  type GroupsFixture,
  startWithGroups,
} from "./group_requests.ts";
import { produceTo } from "./topic_requests.ts";

/** Produces records of now. */
async function produceAt(
  { connection, clock }: GroupsFixture,
  values: readonly string[],
): Promise<void> {
  await produceTo(connection, "orders", batchOf(values, { timestamp: clock.wallMs() }));
}

/** Values by their series. */
async function metricsOf({ broker, clock }: Fixture): Promise<ReadonlyMap<string, number>> {
  const reply = broker.routes({ method: "GET", path: "/metrics" });
  const { body } = reply instanceof Promise ? await clock.until(reply) : reply;
  const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

describe("metrics of groups", () => {
  test("tell offsets, lag in records and seconds, and members", async () => {
    const fixture = await startWithGroups();
    await produceAt(fixture, ["a", "b", "c"]);
    await commit(fixture.connection, "g", "orders", 1);
    await fixture.clock.advance(3000);
    const page = await metricsOf(fixture);
    const labels = `consumergroup="g",topic="orders"`;
    const at = (name: string): number | undefined => page.get(`${name}{${labels},partition="0"}`);
    expect(at("kafka_consumergroup_current_offset")).toBe(1);
    expect(at("kafka_consumergroup_lag")).toBe(2);
    expect(at("mq_group_lag_seconds")).toBe(3);
    expect(page.get(`kafka_consumergroup_lag_sum{${labels}}`)).toBe(2);
    expect(page.get(`kafka_consumergroup_current_offset_sum{${labels}}`)).toBe(1);
    expect(page.get(`kafka_consumergroup_members{consumergroup="g"}`)).toBe(0);
    expect(page.get(`mq_group_stuck_partitions{consumergroup="g"}`)).toBe(0);
  });

  test("tell the age of the very record that is next, within its batch", async () => {
    const fixture = await startWithGroups();
    const now = fixture.clock.wallMs();
    const timestamps = [now - 5000, now - 3000, now - 1000];
    await produceTo(fixture.connection, "orders", makeBatch(0, { timestamps }));
    await commit(fixture.connection, "g", "orders", 1);
    const series = `mq_group_lag_seconds{consumergroup="g",topic="orders",partition="0"}`;
    expect((await metricsOf(fixture)).get(series)).toBe(3);
    await commit(fixture.connection, "g", "orders", 2);
    expect((await metricsOf(fixture)).get(series)).toBe(1);
  });

  test("tell an idle topic that was read to its end as 0, and no lag below that", async () => {
    const fixture = await startWithGroups();
    await produceAt(fixture, ["a"]);
    await commit(fixture.connection, "g", "orders", 1);
    await commit(fixture.connection, "ahead", "orders", 9);
    await fixture.clock.advance(3_600_000);
    const page = await metricsOf(fixture);
    for (const group of ["g", "ahead"]) {
      const labels = `{consumergroup="${group}",topic="orders",partition="0"}`;
      expect(page.get(`kafka_consumergroup_lag${labels}`)).toBe(0);
      expect(page.get(`mq_group_lag_seconds${labels}`)).toBe(0);
      expect(page.get(`mq_group_stuck_partitions{consumergroup="${group}"}`)).toBe(0);
    }
  });

  test("say nothing where nothing is committed, or the log cannot be read", async () => {
    const fixture = await startWithGroups();
    await produceAt(fixture, ["a"]);
    await becomeMember(fixture, "member");
    await commit(fixture.connection, "g", "orders", 0);
    fixture.broker.halt();
    const again = await startBroker(FEW_PARTITIONS, fixture.disk.kill());
    again.disk.failNext("read", "no-handles", true);
    const page = await metricsOf(again);
    const labels = `{consumergroup="g",topic="orders",partition="0"}`;
    expect(page.get(`kafka_consumergroup_lag${labels}`)).toBe(1);
    expect(page.get(`mq_group_lag_seconds${labels}`)).toBeUndefined();
    expect([...page.keys()].some((key) => /_lag.*member/.test(key))).toBeFalse();
  });

  test("tell a partition that stands still before unread records as stuck, until it moves", async () => {
    const fixture = await startWithGroups({ "mq.group.stuck.ms": "60000" });
    const { connection, clock } = fixture;
    await produceAt(fixture, ["a", "b"]);
    await clock.advance(300_000); // what is behind is not stuck while it moves
    await commit(connection, "g", "orders", 1);
    const stuck = `mq_group_stuck_partitions{consumergroup="g"}`;
    await clock.advance(59_000);
    expect((await metricsOf(fixture)).get(stuck)).toBe(0);
    await commit(connection, "g", "orders", 1); // the same again is no advance
    await clock.advance(2000);
    expect((await metricsOf(fixture)).get(stuck)).toBe(1);
    await commit(connection, "g", "orders", 2);
    await produceAt(fixture, ["c"]);
    expect((await metricsOf(fixture)).get(stuck)).toBe(0);
  });

  test("count rebalances, and loads after a restart", async () => {
    const fixture = await startWithGroups();
    await becomeMember(fixture, "g");
    expect((await metricsOf(fixture)).get("mq_group_classic_rebalances_total")).toBe(1);
    await fixture.clock.until(fixture.broker.stop());
    const again = await startBroker(FEW_PARTITIONS, fixture.disk);
    await again.clock.settle();
    const page = await metricsOf(again);
    expect(page.get("mq_group_coordinator_load_seconds_count")).toBe(1);
    expect(page.get(`kafka_consumergroup_members{consumergroup="g"}`)).toBe(1);
  });
});
