import { describe, expect, test } from "bun:test";
import { LineTrace } from "../../src/host/trace.ts";
import { ManualClock } from "../client/manual_clock.ts";

function traceOf(
  format: "json" | "text",
): { trace: LineTrace; lines: string[]; clock: ManualClock } {
  const clock = new ManualClock();
  const lines: string[] = [];
  const trace = new LineTrace({ clock, level: "info", format, write: (line) => lines.push(line) });
  return { trace, lines, clock };
}

describe("LineTrace", () => {
  test("writes one line of JSON or of text, and nothing below its level", () => {
    const json = traceOf("json");
    json.trace.event("debug", "not this");
    json.trace.event("warn", "connection closed", { remote: "h:1" });
    expect(JSON.parse(json.lines[0] ?? "")).toEqual({
      time: "2023-11-14T22:13:21.000Z",
      level: "warn",
      message: "connection closed",
      remote: "h:1",
    });
    const text = traceOf("text");
    text.trace.event("info", "serving", { kafka: "h:1", topics: 0, absent: undefined });
    expect(text.lines).toEqual(["2023-11-14T22:13:21.000Z info  serving kafka=h:1 topics=0"]);
  });

  test("quotes what would break the line: text from the network ends up here", () => {
    const { trace, lines } = traceOf("text");
    trace.event("warn", "closed", { reason: 'a b\nc "d" \u001b[31m' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("\n");
    expect(lines[0]).not.toContain("\u001b");
  });

  test("leaves out repeats and says how many", async () => {
    const { trace, lines, clock } = traceOf("text");
    for (let index = 0; index < 100; index++) trace.event("warn", "again");
    expect(lines).toHaveLength(10);
    await clock.advance(10_000);
    trace.event("warn", "again");
    expect(lines.at(-1)).toMatch(/leftOut=90/);
  });
});
