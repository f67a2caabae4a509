/**
 * The compiled broker on disks that misbehave, with the system's own faults: a file system that is full,
 * an fdatasync that fails, a directory that is removed, read-only or no directory, few file handles.
 *
 * What the machine does not let a test do (mounting, tracing) is counted as skipped, with a line.
 * Longer than most: one fault after the other, with the same few verbs.
 */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { type Broker, mq, program, startBroker } from "../harness/broker.ts";
import { hasTool, run, type RunningProcess, start } from "../harness/process.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { turn, until } from "../harness/until.ts";
import { AckedProducer } from "./acked_producer.ts";
import { mayMount, type Mount, mountMemory, mountReadOnly } from "./mounts.ts";

const MEBIBYTE = 1024 * 1024;
const SMALL_BYTES = 16 * MEBIBYTE;
const RECORD_BYTES = 1000;
const READINESS_MS = 30_000;
/** More than fits. */
const RECORD_COUNT = 24_000;

const mountTest = test.skipIf(!mayMount());
const traceTest = test.skipIf(!(await hasTool("strace")));
const limitTest = test.skipIf(!(await hasTool("prlimit")));
/** Root may do anything: the program runs as nobody then, where that may run it. */
const asNobody = process.getuid?.() === 0
  ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
  : ["env"];
const rightsTest = test.skipIf(!mayRunAsNobody());

function mayRunAsNobody(): boolean {
  const [command, ...words] = [...asNobody, ...program(), "version"];
  if (spawnSync(command as string, words).status === 0) return true;
  process.stderr.write("nobody may not run the program: the test of rights is skipped\n");
  return false;
}

function recordText(index: number): string {
  return `${index} `.padEnd(RECORD_BYTES, "x");
}

/** Appends them all; `acked` grows as they are acknowledged. */
function produceAll(producer: AckedProducer, count: number): { acked: number } {
  const progress = { acked: 0 };
  for (let index = 0; index < count; index++) {
    producer.append(recordText(index), () => void progress.acked++);
  }
  return progress;
}

async function createTopic(
  broker: Broker,
  topic: string,
  words: readonly string[] = [],
): Promise<void> {
  const made = await mq(["topic", "create", topic, "-q", ...words], broker);
  expect(made.status, made.stderr).toBe(0);
}

async function readAll(broker: Pick<Broker, "kafka">, topic: string): Promise<readonly string[]> {
  const read = await mq(["consume", topic, "-q", "-o", "start:end"], broker);
  expect(read.status, read.stderr).toBe(0);
  return read.text.split("\n").slice(0, -1);
}

/** That the first so many records are there, each once and in order. */
function expectRecords(lines: readonly string[], atLeast: number): void {
  expect(lines.length).toBeGreaterThanOrEqual(atLeast);
  expect(lines.findIndex((line, index) => line !== recordText(index))).toBe(-1);
}

async function produceOne(broker: Broker, topic: string, seconds = 2): Promise<number> {
  const words = ["produce", topic, "-q", "--timeout", `${seconds}s`];
  return (await mq(words, broker, { input: "x\n" })).status;
}

async function readiness({ http }: Broker): Promise<string> {
  return await (await fetch(`${http}/health/ready`)).text();
}

/** Waits until readiness says it. */
async function untilReadiness(broker: Broker, part: string): Promise<void> {
  const end = performance.now() + READINESS_MS;
  for (;;) {
    const found = await readiness(broker);
    if (found.includes(part)) return;
    if (performance.now() > end) throw new Error(`Cannot wait longer for ${part}: ${found}`);
    await turn();
  }
}

async function metric({ http }: Broker, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${http}/metrics`)).text();
  return text.split("\n").find((line) => line.startsWith(name))?.split(" ").at(-1);
}

/** Waits until an append has been refused, by the reserve or by the system. */
async function untilFull({ process: { stderr } }: Broker, reserve: string): Promise<void> {
  // Without a reserve it is the system that says so, to whoever writes first.
  const said = ["log directory is full"];
  if (reserve === "0") said.push("a batch could not be appended");
  await until(`it says: ${said.join(" or ")}`, () => said.some((one) => stderr().includes(one)));
}

/** Grows until the number has stood still for a while. */
async function untilStill(read: () => number): Promise<void> {
  let last = -1;
  let since = performance.now();
  while (performance.now() - since < 1500) {
    if (read() !== last) [last, since] = [read(), performance.now()];
    await turn();
  }
}

/** What a broker says that does not start. */
async function refusal(starting: Promise<Broker>): Promise<string> {
  try {
    await (await starting)[Symbol.asyncDispose]();
    return "it started";
  } catch (error) {
    return (error as Error).message;
  }
}

function resize({ path }: Mount, bytes: number): void {
  const words = ["-o", `remount,size=${bytes}`, path];
  expect(spawnSync("mount", words, { encoding: "utf8" }).stderr).toBe("");
}

describe("a file system that is full", () => {
  const settings = [
    ["a reserve that shrinks with it", "67108864"],
    ["no reserve: the system says no", "0"],
  ] as const;
  for (const [name, reserve] of settings) {
    mountTest(
      `with ${name}: nothing acknowledged is lost, reads go on, it comes back`,
      async () => {
        using disk = mountMemory(SMALL_BYTES);
        const dataDirectory = join(disk.path, "data");
        const words = ["-X", `mq.disk.reserve.bytes=${reserve}`];
        let listen: string;
        {
          await using broker = await startBroker({ dataDirectory, words });
          listen = broker.kafka;
          await createTopic(broker, "t", ["-c", "segment.bytes=4194304"]);
          await using producer = await AckedProducer.connect(broker.kafka, "t");
          const progress = produceAll(producer, RECORD_COUNT);
          await untilFull(broker, reserve);
          await untilStill(() => progress.acked);
          expect(progress.acked).toBeGreaterThan(10_000);
          expect(progress.acked).toBeLessThan(RECORD_COUNT);
          expectRecords(await readAll(broker, "t"), progress.acked);
          if (reserve !== "0") {
            expect(await readiness(broker)).toMatch('"state":"full"');
            expect(await metric(broker, "mq_disk_is_full")).toBe("1");
            await createTopic(broker, "metadata-has-room");
          }
          await broker.kill();
          if (reserve === "0") {
            // Not a byte is left for what a start writes: it says so, and harms nothing.
            expect(await refusal(startBroker({ dataDirectory, words }))).toMatch("no space left");
            resize(disk, SMALL_BYTES + MEBIBYTE);
          }
          // Half a batch would show as a tail that is not there.
          expectRecords(await readAgain(dataDirectory, words), progress.acked);
        }
        await using broker = await startBroker({ dataDirectory, words, listen });
        await using producer = await AckedProducer.connect(broker.kafka, "again");
        const progress = produceAll(producer, 2000);
        await untilStill(() => progress.acked);
        expect(progress.acked).toBeLessThan(2000);
        resize(disk, 4 * SMALL_BYTES);
        await until("all are acknowledged", () => progress.acked === 2000);
        expectRecords(await readAll(broker, "again"), 2000);
        await until(
          "it says so",
          () => broker.process.stderr().includes("has room again") || reserve === "0",
        );
        expect(await readiness(broker)).toBe('{"status":"ok"}\n');
      },
    );
  }

  async function readAgain(
    dataDirectory: string,
    words: readonly string[],
  ): Promise<readonly string[]> {
    await using broker = await startBroker({ dataDirectory, words });
    const lines = await readAll(broker, "t");
    expect(broker.process.stderr()).not.toMatch("offline");
    await broker.kill();
    return lines;
  }

  mountTest(
    "at the start: a new broker says what it needs and leaves nothing that harms",
    async () => {
      using disk = mountMemory(MEBIBYTE);
      const filler = join(disk.path, "filler");
      try {
        writeFileSync(filler, new Uint8Array(2 * MEBIBYTE));
      } catch {
        // That is what is wanted: it is full to the last page.
      }
      const dataDirectory = join(disk.path, "data");
      expect(await refusal(startBroker({ dataDirectory }))).toMatch(
        /it ended with 1\n.*no space left/s,
      );
      rmSync(filler);
      await using broker = await startBroker({ dataDirectory });
      expect(await produceOne(broker, "t")).toBe(0);
    },
  );
});

describe("an fdatasync that fails", () => {
  /** Makes every sync of a process from now on fail with EIO; says which were asked for. */
  async function failSyncs(broker: Broker, file: string, path?: string): Promise<RunningProcess> {
    const words = ["-f", "-p", String(broker.process.pid), "-o", file];
    words.push("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO");
    if (path !== undefined) words.push("-P", path);
    const tracer = start("strace", words);
    await until("it is traced", () => tracer.stderr().includes("attached"));
    return tracer;
  }

  function syncsIn(file: string): number {
    return readFileSync(file, "utf8").split("\n").filter((line) => line.includes("INJECTED"))
      .length;
  }

  traceTest("ends the broker at once, with a message; what was acknowledged is there", async () => {
    using directory = temporaryDirectory();
    const dataDirectory = join(directory.path, "data");
    let acked: number;
    {
      await using broker = await startBroker({ dataDirectory });
      await createTopic(broker, "t");
      await using producer = await AckedProducer.connect(broker.kafka, "t");
      const before = produceAll(producer, 500);
      await until("all are acknowledged", () => before.acked === 500);
      const file = join(directory.path, "strace");
      await using tracer = await failSyncs(broker, file);
      const after = produceAll(producer, 10);
      expect(await broker.process.ended).toBe(1);
      await tracer.ended;
      expect(after.acked).toBe(0);
      expect(broker.process.stderr()).toMatch(/log directory is offline.*i\/o error/);
      expect(syncsIn(file)).toBe(1); // never again
      acked = before.acked;
    }
    await using broker = await startBroker({ dataDirectory });
    expectRecords((await readAll(broker, "t")).slice(0, acked), acked);
  });

  traceTest("takes its directory offline, and the other goes on", async () => {
    using directory = temporaryDirectory();
    const [one, two] = ["one", "two"].map((name) => join(directory.path, name)) as [string, string];
    const dataDirectory = `${one},${two}`;
    {
      await using broker = await startBroker({ dataDirectory });
      for (const topic of ["a", "b"]) {
        await createTopic(broker, topic);
        expect(await produceOne(broker, topic)).toBe(0);
      }
      const onTwo = readdirSync(two).includes("a-0") ? "a" : "b";
      const log = join(two, `${onTwo}-0`, `${"0".repeat(20)}.log`);
      const file = join(directory.path, "strace");
      await using tracer = await failSyncs(broker, file, log);
      const offline = `{"path":"${two}","state":"offline"}`;
      do { // on a slow machine a record may not be on its way before its time is over
        expect(await produceOne(broker, onTwo)).toBe(5); // no answer in time
      } while (!(await readiness(broker)).includes(offline));
      tracer.kill("SIGINT");
      await tracer.ended;
      expect(syncsIn(file)).toBe(1);
      expect(await produceOne(broker, onTwo === "a" ? "b" : "a")).toBe(0);
      expect(await readiness(broker)).toMatch(offline);
      expect(await metric(broker, "kafka_log_logmanager_offlinelogdirectorycount")).toBe("1");
      expect(await broker.stop()).toBe(0);
    }
    await using broker = await startBroker({ dataDirectory });
    for (const topic of ["a", "b"]) {
      expect((await readAll(broker, topic)).length).toBeGreaterThanOrEqual(1);
      expect(await produceOne(broker, topic)).toBe(0);
    }
  });
});

describe("a directory that is removed under the broker", () => {
  test("ends it with a message where it held the metadata", async () => {
    await using broker = await startBroker();
    expect(await produceOne(broker, "t")).toBe(0);
    rmSync(broker.dataDirectory, { recursive: true });
    await until("time to measure again has come", timer(600));
    await produceOne(broker, "t", 1);
    expect(await broker.process.ended).toBe(3); // not found
    expect(broker.process.stderr()).toMatch("its files are gone");
  });

  test("is offline where it did not, and the other goes on", async () => {
    using directory = temporaryDirectory();
    const [one, two] = ["one", "two"].map((name) => join(directory.path, name)) as [string, string];
    const words = ["-X", "mq.background.flush.ms=200"]; // which also looks at the directories
    await using broker = await startBroker({ dataDirectory: `${one},${two}`, words });
    for (const topic of ["a", "b"]) {
      await createTopic(broker, topic);
      expect(await produceOne(broker, topic)).toBe(0);
    }
    const onTwo = readdirSync(two).includes("a-0") ? "a" : "b";
    rmSync(two, { recursive: true, force: true });
    await untilReadiness(broker, `{"path":"${two}","state":"offline"}`);
    expect(await produceOne(broker, onTwo)).toBe(5); // no answer in time
    expect(await produceOne(broker, onTwo === "a" ? "b" : "a")).toBe(0);
    expect(await broker.stop()).toBe(0);
  });
});

describe("a directory that cannot be used at the start", () => {
  mountTest(
    "on a read-only file system: alone it is refused, beside another it is offline",
    async () => {
      using directory = temporaryDirectory();
      const source = join(directory.path, "source");
      {
        await using broker = await startBroker({ dataDirectory: source });
        expect(await produceOne(broker, "t")).toBe(0);
        await broker.stop();
      }
      using readOnly = mountReadOnly(source);
      expect(await refusal(startBroker({ dataDirectory: readOnly.path }))).toMatch(
        /it ended with 1\n.*read-only file system/s,
      );
      const other = join(directory.path, "other");
      {
        await using broker = await startBroker({ dataDirectory: other });
        await broker.stop();
      }
      await using broker = await startBroker({ dataDirectory: `${other},${readOnly.path}` });
      expect(await readiness(broker)).toMatch(`{"path":"${readOnly.path}","state":"offline"}`);
      expect(await produceOne(broker, "u")).toBe(0);
    },
  );

  test("a file in its place", async () => {
    using directory = temporaryDirectory();
    const file = join(directory.path, "file");
    writeFileSync(file, "I am none");
    expect(await refusal(startBroker({ dataDirectory: file }))).toMatch(/it ended with 1\n.*file/s);
    expect(readFileSync(file, "utf8")).toBe("I am none");
  });

  test("the same by a link, or one inside the other by a link", async () => {
    using directory = temporaryDirectory();
    const real = join(directory.path, "real");
    const link = join(directory.path, "link");
    mkdirSync(join(real, "inner"), { recursive: true });
    for (const target of [real, join(real, "inner")]) {
      expect(spawnSync("ln", ["-sfn", target, link]).status).toBe(0);
      expect(await refusal(startBroker({ dataDirectory: `${real},${link}` }))).toMatch(
        /it ended with 2\n.*Cannot use log.dirs/s,
      );
    }
  });

  rightsTest("one without rights", async () => {
    using directory = temporaryDirectory();
    const locked = join(directory.path, "locked");
    mkdirSync(locked, { mode: 0 });
    const words = [...asNobody.slice(1), ...program(), "broker", "start", "--data-dir", locked];
    words.push("--listen", "127.0.0.1:0", "--http", "off");
    const { status, stderr } = await run(asNobody[0] as string, words);
    expect(status).toBe(1);
    expect(stderr).toMatch(/permission denied.*\nhint: Give this user/s);
  });
});

limitTest("few file handles: the broker answers on, and goes on when it has them", async () => {
  await using broker = await startBroker({ words: ["-X", "mq.background.flush.ms=200"] });
  await createTopic(broker, "t", ["-p", "40"]);
  const open = readdirSync(`/proc/${broker.process.pid}/fd`).length;
  const limit = (count: number): void => {
    const words = ["--pid", String(broker.process.pid), `--nofile=${count}:${4096}`];
    expect(spawnSync("prlimit", words, { encoding: "utf8" }).stderr).toBe("");
  };
  limit(open + 4); // a connection, and little more
  await mq(["topic", "create", "u", "-p", "40", "-q", "--timeout", "3s"], broker);
  limit(4096);
  expect(await produceOne(broker, "t")).toBe(0);
  // What could not be made for the lack of them is made by and by.
  while (await readiness(broker) !== '{"status":"ok"}\n') await turn();
  expect(await produceOne(broker, "u")).toBe(0);
  expect(statSync(broker.dataDirectory).isDirectory()).toBeTrue();
  expect(await broker.stop()).toBe(0);
});

/** True when so much time has passed. */
function timer(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() > end;
}
