/** `mq group lag --watch | head -1`: the closed pipe was told as a bug of mq, again and again, for ever. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "../cli/fake_io.ts";
import { cluster } from "../cli/group_samples.ts";

describe("mq group lag --watch", () => {
  test("ends with 0 when the reader of stdout has gone", async () => {
    const args = ["group", "lag", "g", "--watch"];
    const io = new FakeIo({ args, isHasty: true, outputBytesMax: 10 });
    const made = cluster();
    expect([await runProgram(io, () => made.library()), io.talk]).toEqual([0, ""]);
  });
});
