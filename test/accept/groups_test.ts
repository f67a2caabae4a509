/** Groups with real processes, pipes and signals: what is committed is what was delivered. */
import { describe, expect, test } from "bun:test";
import process from "node:process";
import { type Broker, mq, program, startBroker } from "../harness/broker.ts";
import { run, type RunningProcess, type RunResult, start } from "../harness/process.ts";
import { until } from "../harness/until.ts";

function begin(words: readonly string[], broker: Broker): RunningProcess {
  const [command, ...first] = program();
  return start(command, [...first, ...words], { env: { MQ_BROKERS: broker.kafka } });
}

async function done(words: readonly string[], broker: Broker, input = ""): Promise<RunResult> {
  const result = await mq(words, broker, { input });
  expect(result.status, `${words.join(" ")}: ${result.stderr}`).toBe(0);
  return result;
}

const lines = (count: number): string => Array.from({ length: count }, (_, n) => `${n}\n`).join("");

async function committed(group: string, broker: Broker): Promise<number> {
  const { stdout, status } = await mq(["group", "export", group], broker);
  if (status === 3) return 0;
  const rows = new TextDecoder().decode(stdout).trim().split("\n");
  return rows.reduce((sum, row) => sum + Number(row.split("\t")[2]), 0);
}

describe("mq consume -g", () => {
  test("commits nothing more when the reader of the pipe has gone", async () => {
    await using broker = await startBroker();
    await done(["topic", "create", "t", "-p", "1"], broker);
    // In batches that a pipe has no room for: one that it takes whole is delivered, and committed.
    await done(["produce", "t", "--linger", "2s"], broker, lines(200_000));
    for (const commit of ["auto", "batch"]) {
      const shell = `"$@" | head -n1; exit "\${PIPESTATUS[0]}"`;
      const words = [...program(), "consume", "t", "-g", `pipe-${commit}`, "--commit", commit];
      const env = { MQ_BROKERS: broker.kafka };
      const piped = await run("bash", ["-c", shell, "sh", ...words], { env });
      expect([piped.status, piped.text, piped.stderr]).toEqual([0, "0\n", ""]);
      expect(await committed(`pipe-${commit}`, broker)).toBe(0);
    }
    // It has left: the next one is not kept waiting for its session to end.
    const next = await done(
      ["consume", "t", "-g", "pipe-auto", "-n", "1", "--timeout", "20s"],
      broker,
    );
    expect(next.text).toBe("0\n");
  });

  test("a Ctrl-C in the terminal ends the command too, and sets no record aside", async () => {
    await using broker = await startBroker();
    await done(["topic", "create", "t", "-p", "1"], broker);
    await done(["produce", "t"], broker, lines(3));
    const exec = "read n; test $n = 0 || { echo begun; exec sleep 30; }";
    const words = ["consume", "t", "-g", "g", "--exec", exec, "--retries", "0", "--dlq", "t.dlq"];
    for (let round = 0; round < 3; round++) {
      // A job of its own, as the shell of a terminal makes it: the signal is for all of it.
      const shell = `set -m; "$@" & echo $! >&2; wait $!`;
      const child = start("bash", ["-c", shell, "sh", ...program(), ...words], {
        env: { MQ_BROKERS: broker.kafka },
      });
      await using _ = child;
      await until(
        "it is at work",
        () => new TextDecoder().decode(child.stdout()).includes("begun"),
      );
      process.kill(-Number(/^\d+/.exec(child.stderr())?.[0]), "SIGINT");
      expect(await child.ended).toBe(130);
      expect(await committed("g", broker)).toBe(1);
    }
    expect((await mq(["dlq", "show", "t.dlq"], broker)).status).toBe(3);
  });

  test("commits what was delivered and leaves, on SIGINT and on SIGTERM", async () => {
    await using broker = await startBroker();
    await done(["topic", "create", "t", "-p", "2"], broker);
    for (const protocol of ["classic", "consumer"]) {
      for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
        await done(["produce", "t"], broker, lines(100));
        const words = ["consume", "t", "-g", protocol, "--group-protocol", protocol];
        const before = await committed(protocol, broker);
        await using member = begin(words, broker);
        const total = await endOf("t", broker);
        await until("all was written", () => count(member) === total - before);
        member.kill(signal);
        expect(await member.ended).toBe(status);
        expect(await committed(protocol, broker)).toBe(total);
        const { text } = await done(["group", "describe", protocol, "--json"], broker);
        const { state, lag } = JSON.parse(text);
        expect([state, lag]).toEqual(["Empty", 0]);
      }
    }
  });

  test("--exec finishes the record that a SIGTERM finds it at", async () => {
    await using broker = await startBroker();
    await done(["topic", "create", "t", "-p", "1"], broker);
    await done(["produce", "t"], broker, lines(3));
    const exec = "read n; echo begun $n; sleep 0.5; echo done $n";
    await using member = begin(["consume", "t", "-g", "g", "--exec", exec], broker);
    const text = (): string => new TextDecoder().decode(member.stdout());
    await until("the second was begun", () => text().includes("begun 1"));
    member.kill("SIGTERM");
    expect(await member.ended).toBe(143);
    expect(text()).toBe("begun 0\ndone 0\nbegun 1\ndone 1\n");
    expect(await committed("g", broker)).toBe(2);
  });
});

function count(member: RunningProcess): number {
  return new TextDecoder().decode(member.stdout()).split("\n").length - 1;
}

async function endOf(topic: string, broker: Broker): Promise<number> {
  const { text } = await done(["topic", "describe", topic, "--json"], broker);
  const { partitions } = JSON.parse(text) as { partitions: { endOffset: number }[] };
  return partitions.reduce((sum, { endOffset }) => sum + endOffset, 0);
}

describe("mq dlq redrive", () => {
  test("that is killed again and again puts every letter back once", async () => {
    await using broker = await startBroker();
    await done(["topic", "create", "jobs", "jobs.dlq", "-p", "1"], broker);
    const headers = [["mq-dlq-topic", "jobs"], ["mq-dlq-partition", "0"]];
    const letters = Array.from(
      { length: 350 },
      (_, n) => JSON.stringify({ value: `v${n}`, headers }),
    );
    await done(["produce", "jobs.dlq", "-f", "json"], broker, `${letters.join("\n")}\n`);
    const redrive = ["dlq", "redrive", "jobs.dlq", "--yes", "--edit", "cat"];
    let sent = 0;
    for (let kills = 0; kills < 2; kills++) {
      await using child = begin(redrive, broker);
      for (const before = sent; sent === before;) sent = await endOf("jobs", broker);
      child.kill("SIGKILL");
      expect(await child.ended).toBe(137);
    }
    await done(redrive, broker);
    const { text } = await done(["consume", "jobs", "-o", "start:end"], broker);
    const values = text.trim().split("\n");
    expect(new Set(values).size).toBe(350);
    expect(values).toHaveLength(350);
  });
});
