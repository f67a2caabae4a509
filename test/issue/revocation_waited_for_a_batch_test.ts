/**
 * A member that ran a command for each record was to give up a partition in the middle of a batch: it ran
 * the commands of the whole batch first, and under an eager assignor the group stood still so long.
 */
import { expect, test } from "bun:test";
import { mq, program, startBroker } from "../harness/broker.ts";
import { type RunningProcess, start } from "../harness/process.ts";
import { until } from "../harness/until.ts";

const COUNT = 35;

test("a batch in hand is not finished before its partition is given up", async () => {
  await using broker = await startBroker();
  await mq(["topic", "create", "t", "-p", "2"], broker);
  const all = ["0", "1"].map((partition) =>
    Array.from({ length: COUNT }, (_, n) => `${partition}:${n}`)
  );
  for (const [partition, values] of all.entries()) {
    await mq(["produce", "t", "-p", `${partition}`], broker, { input: values.join("\n") });
  }
  const [command, ...first] = program();
  const words = [...first, "consume", "t", "-g", "g", "--assignor", "range", "-e"];
  const env = { MQ_BROKERS: broker.kafka };
  const begin = (): RunningProcess => {
    return start(command, [...words, "--exec", "cat; echo; sleep 0.2"], { env });
  };
  const linesOf = (member: RunningProcess): string[] =>
    new TextDecoder().decode(member.stdout()).split("\n").filter((line) => line !== "");
  await using one = begin();
  await until("the first works", () => linesOf(one).length > 0);
  await using two = begin();
  await until("the second works", () => linesOf(two).length > 0);
  expect(linesOf(one).length).toBeLessThan(COUNT);
  expect([await one.ended, await two.ended]).toEqual([0, 0]);
  expect([...linesOf(one), ...linesOf(two)].sort()).toEqual(all.flat().sort());
}, 60_000);
