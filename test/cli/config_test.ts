/** `mq config …` and `mq topic alter`: what is sent, what is shown, and the exit codes. */
import { describe, expect, test } from "bun:test";
import { settingText, shownSetting, withUnit } from "../../cli/setting_text.ts";
import { codedError } from "./fake_library.ts";
import { clusterWith, run } from "./run_program.ts";

const SHAPES = {
  get: '[{"name":"retention.ms","value":"5","source":"DYNAMIC_TOPIC_CONFIG","type":"long",' +
    '"isReadOnly":false,"isSensitive":false}]\n',
  set: '{"results":[{"name":"t","altered":true,"changes":' +
    '[{"setting":"retention.ms","operation":"set","value":"604800000"}]}]}\n',
  explain: '{"resource":{"type":"topic","name":"t"},"setting":"retention.ms","value":"5",' +
    '"source":"DYNAMIC_TOPIC_CONFIG","type":"long","default":"604800000","isReadOnly":false,' +
    '"isSensitive":false,"documentation":"What retention.ms does.","values":[' +
    '{"setting":"retention.ms","value":"5","source":"DYNAMIC_TOPIC_CONFIG","isInForce":true},' +
    '{"setting":"log.retention.ms","value":"604800000","source":"DEFAULT_CONFIG",' +
    '"isInForce":false}]}\n',
};

describe("settingText()", () => {
  test("turns durations and sizes into numbers by the name of the setting", () => {
    expect(settingText("retention.ms", "7d")).toBe("604800000");
    expect(settingText("retention.ms", "1h30m")).toBe("5400000");
    expect(settingText("segment.bytes", "64MiB")).toBe("67108864");
    expect(settingText("retention.bytes", "1.5GB")).toBe("1500000000");
    expect(settingText("max.message.bytes", "10b")).toBe("10");
  });

  test("leaves to the broker what is no quantity, or of another setting", () => {
    expect(settingText("retention.ms", "-1")).toBe("-1");
    expect(settingText("retention.ms", "9223372036854775807")).toBe("9223372036854775807");
    expect(settingText("retention.ms", "64MiB")).toBe("64MiB");
    expect(settingText("segment.bytes", "64M")).toBe("64M");
    expect(settingText("cleanup.policy", "7d")).toBe("7d");
    expect(settingText("min.cleanable.dirty.ratio", "0.5")).toBe("0.5");
  });

  test("withUnit() is its opposite where that is a whole number", () => {
    expect(withUnit("retention.ms", "604800000")).toBe("7d");
    expect(withUnit("retention.ms", "90000")).toBe("90s");
    expect(withUnit("retention.ms", "1500")).toBeUndefined();
    expect(withUnit("segment.bytes", "67108864")).toBe("64MiB");
    expect(withUnit("retention.ms", "0")).toBeUndefined();
    expect(withUnit("flush.messages", "60000")).toBeUndefined();
    expect(shownSetting("retention.ms", "-1")).toBe("retention.ms=-1");
  });
});

describe("mq topic alter", () => {
  test("sends every kind of change at once, with plain numbers, and says what it sent", async () => {
    const cluster = clusterWith({ t: [] });
    const line = "topic alter t --set retention.ms=7d --unset segment.bytes " +
      "--append cleanup.policy=compact";
    const { code, talk, output } = await run(line, cluster);
    expect(code).toBe(0);
    expect(output).toBe("");
    expect(talk).toBe(
      "changed topic t: retention.ms=604800000 (7d), segment.bytes back to its default, " +
        "cleanup.policy with compact\n",
    );
    expect(cluster.configs.asked[0]?.changes).toEqual([
      { name: "retention.ms", operation: "set", value: "604800000" },
      { name: "segment.bytes", operation: "delete" },
      { name: "cleanup.policy", operation: "append", value: "compact" },
    ]);
    await run("topic alter t --subtract cleanup.policy=compact", cluster);
    expect(cluster.configs.asked[1]?.changes[0]?.operation).toBe("subtract");
  });

  test("changes nothing with --dry-run", async () => {
    const cluster = clusterWith({ t: [] });
    const { talk } = await run("topic alter t --set retention.ms=5 --dry-run", cluster);
    expect(talk).toBe("would change topic t: retention.ms=5\n");
    expect(cluster.configs.own.has("t")).toBeFalse();
  });

  test("tells each topic's outcome, and ends with that of the first that failed", async () => {
    const cluster = clusterWith({ t: [] });
    const { code, output } = await run("topic alter t x --set retention.ms=5 --json", cluster);
    expect(code).toBe(3);
    const { results } = JSON.parse(output);
    expect(results[0].altered).toBeTrue();
    expect(results[1].error.code).toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });

  test("refuses a line that changes nothing, one thing twice, or has no value", async () => {
    const cluster = clusterWith({ t: [] });
    const lines = [
      "topic alter t",
      "topic alter t --set retention.ms=1 --unset retention.ms",
      "topic alter t --set retention.ms",
      "topic alter --set retention.ms=1",
    ];
    for (const line of lines) expect((await run(line, cluster)).code).toBe(2);
    expect(cluster.configs.asked).toHaveLength(0);
  });

  test("says which setting was meant", async () => {
    const { code, talk } = await run("topic alter t --set retention=1", clusterWith({ t: [] }));
    expect(code).toBe(2);
    expect(talk).toContain("Did you mean 'retention.ms'?");
  });
});

describe("mq config set, unset", () => {
  test("change one topic", async () => {
    const cluster = clusterWith({ t: [] });
    expect((await run("config set --topic t retention.ms=7d --json", cluster)).output)
      .toBe(SHAPES.set);
    expect(cluster.configs.own.get("t")?.get("retention.ms")).toBe("604800000");
    expect((await run("config unset --topic t retention.ms", cluster)).code).toBe(0);
    expect(cluster.configs.own.get("t")?.size).toBe(0);
    expect((await run("config set --topic x retention.ms=1", cluster)).code).toBe(3);
  });

  test("say where a broker's settings are changed", async () => {
    const cluster = clusterWith({ t: [] });
    const { code, talk } = await run("config set retention.ms=1", cluster);
    expect(code).toBe(2);
    expect(talk).toContain("mq broker start -c");
    cluster.brokerConfigError = codedError(
      "INVALID_REQUEST",
      "Cannot change settings of broker 1: write them into its file (mq broker start -c FILE)",
    );
    for (const line of ["config set --broker 1 a.b=1", "config unset --broker 1 a.b"]) {
      const refused = await run(line, cluster);
      expect(refused.code).toBe(1);
      expect(refused.talk).toMatch(/of broker 1: .*-c FILE\)\nhint: -X NAME=VALUE .*--topic\n$/);
    }
  });

  test("change a broker that lets itself be changed, as Apache Kafka's do", async () => {
    const cluster = clusterWith({});
    const { code, talk } = await run("config set --broker 1 log.cleaner.threads=2", cluster);
    expect([code, talk]).toEqual([0, "changed broker 1: log.cleaner.threads=2\n"]);
    expect(cluster.configs.asked).toEqual([
      { name: "1", changes: [{ name: "log.cleaner.threads", operation: "set", value: "2" }] },
    ]);
    expect((await run("config set --broker 9 a.b=1", cluster)).code).toBe(3);
    expect((await run("config set --broker 1 --topic t a.b=1", cluster)).code).toBe(2);
  });

  test("take back no setting that does not exist", async () => {
    const cluster = clusterWith({ t: [] });
    for (
      const line of ["config unset --topic t retention.m", "topic alter x t --unset retention.m"]
    ) {
      const { code, talk } = await run(line, cluster);
      expect(code).toBe(2);
      expect(talk).toContain("Unknown setting 'retention.m' of topic t");
      expect(talk).toContain("Did you mean 'retention.ms'?");
    }
    expect(cluster.configs.asked).toEqual([]);
    expect((await run("topic alter x --unset retention.ms", cluster)).code).toBe(3);
  });
});

describe("mq config get", () => {
  test("has one form for each format", async () => {
    const cluster = clusterWith({ t: [] });
    await run("config set --topic t retention.ms=5", cluster);
    expect((await run("config get --topic t retention.ms --json", cluster)).output)
      .toBe(SHAPES.get);
    expect((await run("config get --topic t --changed", cluster)).output)
      .toBe("SETTING\tVALUE\tSOURCE\nretention.ms\t5\tDYNAMIC_TOPIC_CONFIG\n");
    expect((await run("config get --topic t --changed -f wide --no-header", cluster)).output)
      .toBe("retention.ms\t5\tDYNAMIC_TOPIC_CONFIG\tlong\tfalse\n");
    expect((await run("config get -f name", cluster)).output)
      .toBe("cleanup.policy\nretention.ms\nsegment.bytes\n");
    expect((await run("config get --broker 1 --json", cluster)).code).toBe(0);
    expect((await run("config get --cluster --json", cluster)).output).toBe("[]\n");
  });

  test("ends with 3 where there is no such topic or broker, with 2 for a wrong line", async () => {
    const cluster = clusterWith({ t: [] });
    expect((await run("config get --topic x", cluster)).code).toBe(3);
    expect((await run("config get --broker 9", cluster)).code).toBe(3);
    expect((await run("config get --broker one", cluster)).code).toBe(2);
    expect((await run("config get --topic t --broker 1", cluster)).code).toBe(2);
    const unknown = await run("config get --topic t retention.m", cluster);
    expect([unknown.code, unknown.output]).toEqual([2, ""]);
    expect(unknown.talk).toContain("Did you mean 'retention.ms'?");
  });
});

describe("mq config explain", () => {
  test("shows the value, where it comes from, and what it hides", async () => {
    const cluster = clusterWith({ t: [] });
    await run("config set --topic t retention.ms=5", cluster);
    const { output } = await run("config explain --topic t retention.ms", cluster);
    expect(output).toBe(
      "setting\tretention.ms\nvalue\t5\nsource\tDYNAMIC_TOPIC_CONFIG\ntype\tlong\n" +
        "default\t604800000\nread-only\tfalse\nmeaning\tWhat retention.ms does.\n\n" +
        "VALUE\tSOURCE\tSETTING\n5\tDYNAMIC_TOPIC_CONFIG\tretention.ms\n" +
        "604800000\tDEFAULT_CONFIG\tlog.retention.ms\n",
    );
    expect((await run("config explain --topic t retention.ms --json", cluster)).output)
      .toBe(SHAPES.explain);
  });

  test("wants to know whose setting", async () => {
    expect((await run("config explain retention.ms", clusterWith({}))).code).toBe(2);
  });
});
