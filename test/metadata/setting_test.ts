import { describe, expect, test } from "bun:test";
import { parseSetting, type Setting } from "../../src/metadata/setting.ts";
import {
  refuseTopicConfigs,
  TOPIC_SETTINGS,
  topicConfigValue,
} from "../../src/metadata/topic_config.ts";

function read(setting: Partial<Setting>, text: string): unknown {
  const parsed = parseSetting({ name: "x", type: "int", doc: "", ...setting }, text);
  return parsed.kind === "value" ? parsed.value : parsed.message;
}

describe("parseSetting()", () => {
  test("reads whole numbers within their bounds", () => {
    expect(read({}, " 12 ")).toBe(12);
    expect(read({ min: -1 }, "-1")).toBe(-1);
    for (const text of ["1.5", "1e3", "0x10", "", "abc", "2147483648", "--1"]) {
      expect(read({}, text)).toMatch(/^Invalid value .* must be a whole number/);
    }
    expect(read({ min: 1 }, "0")).toMatch(/from 1 to 2147483647/);
  });

  test("takes Kafka's largest long for no limit", () => {
    expect(read({ type: "long" }, "9223372036854775807")).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("reads booleans, choices, doubles and lists", () => {
    expect(read({ type: "boolean" }, "TRUE")).toBe(true);
    expect(read({ type: "boolean" }, "yes")).toMatch(/true or false/);
    expect(read({ type: "string", values: ["a", "b"] }, "c")).toMatch(/one of a, b/);
    expect(read({ type: "double", min: 0, max: 1 }, "0.25")).toBe(0.25);
    expect(read({ type: "double", min: 0, max: 1 }, "1.5")).toMatch(/a number from 0 to 1/);
    expect(read({ type: "list", values: ["a", "b"] }, "a, b")).toEqual(["a", "b"]);
    expect(read({ type: "list", values: ["a", "b"] }, "a,c")).toMatch(/c for configuration x/);
    expect(read({ type: "list" }, "")).toEqual([]);
  });
});

describe("TOPIC_SETTINGS", () => {
  test("have defaults that are valid", () => {
    for (const setting of TOPIC_SETTINGS) {
      expect(parseSetting(setting, setting.default).kind).toBe("value");
    }
  });

  test("give the topic's own value before the broker's and the broker's before the default", () => {
    const broker = (name: string): string | undefined =>
      name === "log.retention.ms" ? "5" : undefined;
    const none = (): undefined => undefined;
    expect(topicConfigValue("retention.ms", new Map([["retention.ms", "9"]]), broker)).toBe(9);
    expect(topicConfigValue("retention.ms", new Map(), broker)).toBe(5);
    expect(topicConfigValue("retention.ms", new Map(), none)).toBe(604800000);
  });
});

test("a name that no topic setting has is refused with the nearest one", () => {
  const refuse = (name: string, maySuggest?: boolean): string | undefined =>
    refuseTopicConfigs(new Map([[name, "1"]]), () => undefined, maySuggest);
  expect(refuse("retention.m")).toMatch(/retention\.m; did you mean 'retention\.ms'/);
  expect(refuse("zzz")).toBe("Unknown topic config name: zzz");
  expect(refuse("retention.m", false)).toBe("Unknown topic config name: retention.m");
});
