/** `mq consume --exec … --dlq`: 1,000 records that fail took 57 s, 50 ms of waiting each; without, 5 s. */
import { expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "../cli/fake_io.ts";
import { clusterWith } from "../cli/group_run.ts";

test("a record that is set aside costs some milliseconds", async () => {
  const values = Array.from({ length: 20 }, (_, index) => String(index));
  const cluster = clusterWith(...values);
  const io = new FakeIo({
    args: ["consume", "t", "-g", "g", "-e", "--exec", "work", "--dlq", "t.dlq"],
    isHasty: true,
    shell: () => ({ code: 1 }),
  });
  expect(await runProgram(io, () => cluster.library())).toBe(0);
  expect(cluster.values("t.dlq")).toEqual(values);
  const waits = io.delays.filter((delayMs) => delayMs < 100); // not the limits of time
  expect(waits.reduce((sum, delayMs) => sum + delayMs, 0)).toBeLessThan(10 * values.length);
});
