import { describe, expect, test } from "bun:test";
import { parseSetting } from "../../src/metadata/setting.ts";
import { DEFAULT_GROUP_SETTINGS } from "../../src/group/group_settings.ts";
import { groupSettingsOf } from "../../src/runtime/coordinator/group_settings_of.ts";
import { BROKER_SETTINGS, BrokerSettings } from "../../src/runtime/broker_settings.ts";

function settings(values: Record<string, string>): BrokerSettings {
  return new BrokerSettings(new Map(Object.entries(values)));
}

describe("BrokerSettings", () => {
  test("gives what was set, and the default otherwise", () => {
    const given = settings({ "num.partitions": "4", "log.dirs": "/a, /b" });
    expect(given.get("num.partitions")).toBe(4);
    expect(given.get("log.dirs")).toEqual(["/a", "/b"]);
    expect(given.get("auto.create.topics.enable")).toBe(true);
    expect(given.get("broker.rack")).toBeUndefined();
  });

  test("names what is wrong and what was probably meant", () => {
    const [invalid, unknown] = settings({ "num.partitions": "none", "num.partition": "1" })
      .problems();
    expect(invalid?.kind).toBe("invalid");
    expect(invalid?.message).toMatch(/none for configuration num.partitions/);
    expect(unknown?.kind).toBe("unknown");
    expect(unknown?.message).toMatch(/did you mean 'num.partitions'/);
  });

  test("refuses defaults of topics that contradict each other, before any topic has them", () => {
    const lags = { "log.cleaner.min.compaction.lag.ms": "11" };
    expect(settings(lags).problems()).toEqual([]);
    const [problem] = settings({ ...lags, "log.cleaner.max.compaction.lag.ms": "10" }).problems();
    expect(problem?.kind).toBe("invalid");
    expect(problem?.message).toMatch(/min\.compaction\.lag\.ms \(11\) > .*\(10\)/);
  });

  test("refuses times of groups that contradict each other", () => {
    const messageOf = (values: Record<string, string>): string | undefined =>
      settings(values).problems()[0]?.message;
    expect(messageOf({ "group.consumer.session.timeout.ms": "50000" })).toBeUndefined();
    expect(messageOf({ "group.consumer.session.timeout.ms": "10000" }))
      .toMatch(
        /Invalid value 10000 .*: it must be group.consumer.min.session.timeout.ms \(45000\)/,
      );
    expect(messageOf({ "group.consumer.session.timeout.ms": "70000" }))
      .toMatch(/Invalid value 60000 for configuration group.consumer.max.session/);
    expect(messageOf({ "group.max.session.timeout.ms": "5000" })).toMatch(/group.min.session/);
    expect(messageOf({
      "group.consumer.heartbeat.interval.ms": "45000",
      "group.consumer.max.heartbeat.interval.ms": "60000",
    })).toMatch(/below group.consumer.session.timeout.ms \(45000\)/);
  });

  test("gives groups Kafka's defaults, but for the delay of the first rebalance", () => {
    expect(groupSettingsOf(settings({}))).toEqual(DEFAULT_GROUP_SETTINGS);
    const given = settings({
      "offsets.retention.minutes": "2",
      "group.coordinator.rebalance.protocols": "classic,share",
    });
    const { offsetsRetentionMs, rebalanceProtocols } = groupSettingsOf(given);
    expect([offsetsRetentionMs, rebalanceProtocols]).toEqual([120_000, ["classic"]]);
  });

  test("tells what was given by which name, beside what it comes to", () => {
    const given = settings({ "log.retention.hours": "2" });
    expect([given.given("log.retention.hours"), given.given("log.retention.ms")])
      .toEqual(["2", undefined]);
    expect(given.text("log.retention.ms")).toBe("7200000");
    expect(BrokerSettings.inOtherUnits("log.retention.ms"))
      .toEqual(["log.retention.minutes", "log.retention.hours"]);
  });

  test("accepts Kafka's own names, also those without a meaning here", () => {
    expect(settings({ "num.io.threads": "8", "log.retention.hours": "168" }).problems()).toEqual(
      [],
    );
  });

  test("turns hours and minutes into milliseconds, the finer unit first", () => {
    expect(settings({ "log.retention.hours": "2" }).text("log.retention.ms")).toBe("7200000");
    expect(
      settings({ "log.retention.hours": "2", "log.retention.minutes": "3" }).text(
        "log.retention.ms",
      ),
    ).toBe("180000");
    expect(
      settings({ "log.retention.hours": "2", "log.retention.ms": "5" }).text("log.retention.ms"),
    ).toBe("5");
    expect(settings({ "log.retention.hours": "-1" }).text("log.retention.ms")).toBe("-1");
    expect(settings({ "log.roll.hours": "1" }).text("log.roll.ms")).toBe("3600000");
    const jitter = settings({ "log.roll.jitter.hours": "2" });
    expect(jitter.problems()).toEqual([]);
    expect(jitter.text("log.roll.jitter.ms")).toBe("7200000");
    expect(settings({ "log.roll.jitter.hours": "-1" }).problems()[0]?.kind).toBe("invalid");
  });

  test("has only valid defaults", () => {
    for (const setting of BROKER_SETTINGS) {
      if (setting.default !== undefined) {
        expect(parseSetting(setting, setting.default).kind).toBe("value");
      }
    }
  });
});
