import { describe, expect, test } from "bun:test";
import { Metrics } from "../../src/runtime/metrics.ts";

describe("Metrics.render()", () => {
  test("writes counters and gauges with their labels", () => {
    const metrics = new Metrics();
    const bytes = metrics.counter({ name: "bytes_total", help: "Bytes.", labels: ["topic"] });
    bytes.of("a").add(2);
    bytes.of("a").add(3);
    metrics.gauge({ name: "up", help: "Up." }, (set) => set(1));
    expect(metrics.render()).toBe(
      "# HELP bytes_total Bytes.\n# TYPE bytes_total counter\n" +
        'bytes_total{topic="a"} 5\n# HELP up Up.\n# TYPE up gauge\nup 1\n',
    );
  });

  test("escapes what would break a line", () => {
    const metrics = new Metrics();
    metrics.counter({ name: "c", help: "C.", labels: ["l"] }).of('a"b\\c\nd').add(1);
    expect(metrics.render()).toContain('c{l="a\\"b\\\\c\\nd"} 1\n');
  });

  test("counts a histogram's buckets from below", () => {
    const metrics = new Metrics();
    const seconds = metrics.histogram({ name: "s", help: "S." }).of();
    for (const value of [0.0001, 0.002, 0.002, 60]) seconds.observe(value);
    const text = metrics.render();
    expect(text).toContain('s_bucket{le="0.0001"} 1\n');
    expect(text).toContain('s_bucket{le="0.001"} 1\n');
    expect(text).toContain('s_bucket{le="0.0025"} 3\n');
    expect(text).toContain('s_bucket{le="10"} 3\n');
    expect(text).toContain('s_bucket{le="+Inf"} 4\n');
    expect(text).toContain("s_count 4\n");
  });

  test("keeps a family bounded whatever names come from outside", () => {
    const metrics = new Metrics();
    const family = metrics.counter({ name: "c", help: "C.", labels: ["l"] });
    for (let index = 0; index < 30_000; index++) family.of(String(index)).add(1);
    expect(metrics.render().split("\n").length).toBeLessThan(20_010);
  });
});
