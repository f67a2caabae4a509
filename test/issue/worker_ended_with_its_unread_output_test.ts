/**
 * `mq consume --exec`, started by something that reads its output no more: the work, which writes nothing,
 * ended within half a second, with exit code 0 and most of the records untouched.
 */
import { expect, test } from "bun:test";
import { runProgram } from "../../cli/program.ts";
import { FakeIo } from "../cli/fake_io.ts";
import { clusterWith } from "../cli/group_run.ts";

test("a command goes on without a reader as long as it has nothing to say", async () => {
  const cluster = clusterWith("1", "2", "3");
  const done: string[] = [];
  const io: FakeIo = new FakeIo({
    args: ["consume", "t", "-g", "g", "-e", "--exec", "work"],
    isHasty: true,
    shell: ({ input }) => {
      done.push(input);
      io.loseReader();
      return {};
    },
  });
  expect(await runProgram(io, () => cluster.library())).toBe(0);
  expect(done).toEqual(["1", "2", "3"]);
  expect(cluster.committed("g", "t 0")).toBe(3);
});
