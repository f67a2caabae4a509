/** The README's tables of settings are those of the program (`mq help` has them too). */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Setting } from "../src/metadata/setting.ts";
import { TOPIC_SETTINGS } from "../src/metadata/topic_config.ts";
import { BROKER_SETTINGS } from "../src/runtime/broker_settings.ts";
import { projectRoot } from "./harness/process.ts";

const LONG_MAX = "9223372036854775807";
const DOUBLE_MAX = "1.7976931348623157e308";
const STORAGE =
  /^(log\.(dirs$|cleaner\.|initial|retention\.check)|mq\.(background|disk|read|scrub|tail)|producer\.id)/;
const OF_TOPICS = new Set(
  TOPIC_SETTINGS.flatMap((setting) => "synonym" in setting ? [setting.synonym as string] : []),
);

function table(settings: readonly Setting[]): string {
  const rows = settings.toSorted((one, other) => one.name < other.name ? -1 : 1)
    .map(({ name, default: standard = "", doc }) => {
      const isNoLimit = standard === LONG_MAX || standard === DOUBLE_MAX;
      const shown = standard === "" ? "" : isNoLimit ? "no limit" : `\`${standard}\``;
      return [`\`${name}\``, shown, doc.replaceAll("|", "\\|")];
    });
  const all = [["setting", "default", "meaning"], ...rows];
  const widths = [0, 1, 2].map((at) => Math.max(...all.map((row) => (row[at] as string).length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] as number)).join(" | ")} |\n`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |\n`;
  return `\n${line(all[0] as readonly string[])}${rule}${all.slice(1).map(line).join("")}\n`;
}

function between(begin: string, end: string): string | undefined {
  const readme = readFileSync(`${projectRoot}README.md`, "utf8");
  return readme.split(`<!-- ${begin} -->\n`)[1]?.split(`<!-- ${end} -->\n`)[0];
}

describe("README.md", () => {
  test("its table of topic settings is the program's", () => {
    const begin = "topic settings: kept equal by test/readme_settings_test.ts";
    expect(between(begin, "end of topic settings")).toBe(table(TOPIC_SETTINGS));
  });

  test("its table of the broker's storage settings is the program's", () => {
    const begin = "storage settings: kept equal by test/readme_settings_test.ts";
    const own = BROKER_SETTINGS.filter(({ name }) => STORAGE.test(name) && !OF_TOPICS.has(name));
    expect(between(begin, "end of storage settings")).toBe(table(own));
  });
});
