/** The compiled binary as a user meets it: start, rest, one command, a million lines. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, createHostEnv } from "../../src/mod.ts";
import { type Broker, mq, startBroker } from "../harness/broker.ts";
import { hasProgram, run } from "../harness/process.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { median, medianMs, report } from "./report.ts";

const STARTS = 7;
const LISTS = 15;
const LINES = 1_000_000;
const LINE_BYTES = 100;
const LONG_MS = 300_000;
const AUTO_CREATE = ["-X", "auto.create.topics.enable=true"];

/** From the start of the process, with an empty directory, until a produced record is acknowledged. */
export async function benchStart(): Promise<void> {
  const ready: number[] = [];
  const accepted: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    const start = performance.now();
    await using broker = await startBroker({ words: AUTO_CREATE });
    ready.push(performance.now() - start);
    await produceOne(broker);
    accepted.push(performance.now() - start);
  }
  report("start to ready", "mq", `${median(ready).toFixed(0)} ms`);
  report("start to first accepted produce", "mq", `${median(accepted).toFixed(0)} ms`);
}

async function produceOne(broker: Broker): Promise<void> {
  const [host = "", port = ""] = broker.kafka.split(":");
  const brokers = [{ host, port: Number(port) }];
  await using client = await connect({ brokers, env: createHostEnv() });
  await using producer = client.producer({ lingerMs: 0 });
  await producer.send("first", { key: null, value: Uint8Array.of(1) });
}

/** Memory of a broker that has nothing to do, and the time that a small command takes. */
export async function benchIdle(): Promise<void> {
  await using broker = await startBroker({ words: AUTO_CREATE });
  await produceOne(broker);
  report("idle RSS", "mq", `${(rssOf(broker.process.pid) / 1e6).toFixed(0)} MB`);
  const ms = await medianMs(LISTS, async () => {
    await mq(["topic", "list"], broker);
  });
  report("topic list as a process", "mq", `${ms.toFixed(0)} ms`);
}

function rssOf(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1] ?? NaN) * 1024;
}

/** A file of lines in and out again, beside kcat; both against the same broker. */
export async function benchPipe(): Promise<void> {
  await using broker = await startBroker({ words: AUTO_CREATE });
  using directory = temporaryDirectory();
  const path = join(directory.path, "lines");
  writeFileSync(path, linesOf(LINES));
  const tools = (await hasProgram("kcat")) ? ["mq", "kcat"] : ["mq"];
  for (const tool of tools) {
    const topic = `lines-${tool}`;
    await mq(["topic", "create", topic, "-p", "1"], broker);
    await rate(`produce ${LINES} lines of ${LINE_BYTES} B`, tool, produceCommand(tool, topic), {
      broker,
      path,
    });
  }
  for (const tool of tools) {
    await rate(`consume ${LINES} lines of ${LINE_BYTES} B`, tool, consumeCommand(tool), {
      broker,
      path,
    });
  }
}

function produceCommand(tool: string, topic: string): string {
  return tool === "mq"
    ? `"$MQ" produce ${topic} -q < "$LINES"`
    : `kcat -b "$MQ_BROKERS" -P -t ${topic} < "$LINES"`;
}

/** Both read what mq wrote. */
function consumeCommand(tool: string): string {
  return tool === "mq"
    ? `"$MQ" consume lines-mq -o start:end | cmp - "$LINES"`
    : `kcat -b "$MQ_BROKERS" -C -t lines-mq -o beginning -e -q | cmp - "$LINES"`;
}

interface Place {
  readonly broker: Broker;
  readonly path: string;
}

async function rate(what: string, tool: string, command: string, place: Place): Promise<void> {
  const env = { MQ: "dist/mq", MQ_BROKERS: place.broker.kafka, LINES: place.path };
  const start = performance.now();
  const ended = await run("bash", ["-c", `set -o pipefail; ${command}`], {
    env,
    timeoutMs: LONG_MS,
  });
  const seconds = (performance.now() - start) / 1000;
  const result = ended.status === 0
    ? `${Math.round(LINES / seconds).toLocaleString("en")} lines/s`
    : `failed: ${ended.stderr.trim()}`;
  report(what, tool, result);
}

function linesOf(count: number): string {
  const parts: string[] = [];
  for (let index = 0; index < count; index++) {
    parts.push(`${index} the quick brown fox `.padEnd(LINE_BYTES - 1, "jumps over the lazy dog "));
  }
  return `${parts.join("\n")}\n`;
}
