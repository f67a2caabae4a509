/** `mq broker start` as a process: what it says and leaves behind when it starts, stops, and cannot. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mq, program, startBroker } from "../harness/broker.ts";
import { run, type RunningProcess, start } from "../harness/process.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";

const FREE_PORTS = ["--listen", "127.0.0.1:0", "--http", "off"];

/**
 * Sends a signal and gives the exit code. Through `kill`, because Deno's child_process tells the signal
 * that it sent in place of the exit code.
 */
async function endBy(signal: "TERM" | "INT", child: RunningProcess): Promise<number> {
  await run("kill", [`-${signal}`, String(child.pid)]);
  return await child.ended;
}

describe("mq broker start", () => {
  test("tells where it serves, and 0 is the exit code of an orderly stop", async () => {
    await using broker = await startBroker();
    expect(await endBy("TERM", broker.process)).toBe(0);
    const line = new TextDecoder().decode(broker.process.stdout());
    expect(line).toBe(`mq ready kafka=${broker.kafka} http=${broker.http}\n`);
  });

  test("writes the ready and pid files whole, and takes them away when it stops", async () => {
    await using directory = temporaryDirectory();
    const pidFile = join(directory.path, "pid");
    await using broker = await startBroker({ words: ["--pid-file", pidFile] });
    expect(readFileSync(pidFile, "utf8")).toBe(`${broker.process.pid}\n`);
    expect(readdirSync(directory.path)).toEqual(["pid"]);
    await endBy("TERM", broker.process);
    expect(existsSync(pidFile)).toBeFalse();
  });

  test("--dev leaves nothing behind", async () => {
    await using directory = temporaryDirectory();
    const ready = join(directory.path, "ready.json");
    const env = { TMPDIR: directory.path };
    const [command, ...first] = program();
    const words = [...first, "broker", "start", "--dev", "--ready-file", ready];
    await using child = start(command, words, { env });
    while (!existsSync(ready)) await new Promise((resolve) => setImmediate(resolve));
    // Bun unpacks a native module there once and finds it again; that is not ours.
    const ours = (): readonly string[] =>
      readdirSync(directory.path).filter((name) => !name.startsWith(".bun-"));
    expect(ours().some((name) => name.startsWith("mq-dev-"))).toBeTrue();
    expect(await endBy("INT", child)).toBe(0);
    expect(ours()).toEqual([]);
  });

  test("reads server.properties, and says what it does not know", async () => {
    await using directory = temporaryDirectory();
    const file = join(directory.path, "server.properties");
    const log = join(directory.path, "log");
    writeFileSync(file, "num.partitions=3\nnun.partitions=4\n");
    await using broker = await startBroker({ words: ["-c", file, "--log-file", log] });
    expect((await mq(["topic", "create", "t", "-q"], broker)).status).toBe(0);
    expect((await mq(["topic", "list", "--no-header"], broker)).text).toBe("t\t3\t1\n");
    expect(broker.process.stderr()).toContain("did you mean 'num.partitions'?");
  });

  test("takes Kafka's own file for a node that is broker and controller", async () => {
    await using directory = temporaryDirectory();
    const file = join(directory.path, "server.properties");
    writeFileSync(
      file,
      `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:0,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:0,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=${join(directory.path, "kraft-combined-logs")}
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
`,
    );
    const ready = join(directory.path, "ready.json");
    const [command, ...first] = program();
    const words = ["broker", "start", "-c", file, "--http", "off", "--ready-file", ready];
    await using child = start(command, [...first, ...words, "--strict"]);
    let isOver = false;
    void child.ended.then(() => (isOver = true));
    while (!existsSync(ready) && !isOver) await new Promise((resolve) => setImmediate(resolve));
    expect(child.stderr()).not.toContain("mq:");
    const { kafka } = JSON.parse(readFileSync(ready, "utf8"));
    expect((await mq(["-b", kafka, "produce", "t", "x"])).status).toBe(0);
    expect(await endBy("TERM", child)).toBe(0);
  });

  test("tells of recovery after kill -9, and of the end of a graceful stop", async () => {
    await using directory = temporaryDirectory();
    const dataDirectory = join(directory.path, "data");
    const told = async (end: "kill" | "stop"): Promise<string> => {
      await using broker = await startBroker({ dataDirectory, words: ["--log-format", "text"] });
      expect((await mq(["produce", "t", "x"], broker)).status).toBe(0);
      if (end === "kill") await broker.kill();
      else expect(await broker.stop()).toBe(0);
      return broker.process.stderr();
    };
    expect(await told("kill")).not.toContain("recovered");
    expect(await told("stop")).toMatch(
      /recovered after an unclean stop logs=1 ms=\d+\n[^]* stopped\n$/,
    );
    expect(await told("stop")).not.toContain("recovered");
  });

  test("serves on when its stdout is full", async () => {
    await using directory = temporaryDirectory();
    const ready = join(directory.path, "ready.json");
    const words = ["broker", "start", "--dev", "--http", "off", "--ready-file", ready];
    const shell = ["-c", 'exec "$0" "$@" > /dev/full', ...program(), ...words];
    await using child = start("sh", shell, { env: { TMPDIR: directory.path } });
    while (!child.stderr().includes("Cannot write stdout")) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { kafka } = JSON.parse(readFileSync(ready, "utf8"));
    expect((await mq(["-b", kafka, "topic", "list"])).status).toBe(0);
    expect(await endBy("TERM", child)).toBe(0);
  });

  test("serves on when its log cannot be written, and says so once", async () => {
    await using broker = await startBroker({ words: ["--log-file", "/dev/full"] });
    expect((await mq(["produce", "t", "x"], broker)).status).toBe(0);
    expect(await endBy("TERM", broker.process)).toBe(0);
    expect(broker.process.stderr())
      .toBe("mq: warning: Cannot write log to /dev/full: no space left on device\n");
  });

  test("refuses with the exit code and a remedy", async () => {
    await using directory = temporaryDirectory();
    await using broker = await startBroker();
    const port = broker.kafka.split(":")[1] as string;
    const data = ["--data-dir", join(directory.path, "data")];
    const file = join(directory.path, "file");
    writeFileSync(file, "");
    const cases: readonly (readonly [status: number, says: string, words: readonly string[]])[] = [
      [1, "another process", ["--data-dir", broker.dataDirectory, ...FREE_PORTS]],
      [1, port, [...data, "--listen", `127.0.0.1:${port}`, "--http", "off"]],
      [1, file, ["--data-dir", file, ...FREE_PORTS]],
      [2, "num.partitions", [...data, ...FREE_PORTS, "-X", "num.partitions=many"]],
      [2, "log.dirs", [
        ...data,
        ...FREE_PORTS,
        "-X",
        "log.dris=/x",
        "--strict",
      ]],
      [2, "--advertise", [...data, ...FREE_PORTS, "--advertise", "0.0.0.0:9092"]],
      [2, "--advertise", [...data, "--listen", ":0", "--http", "off"]],
      [2, "without controllers", [...data, ...FREE_PORTS, "-X", "process.roles=broker"]],
      [2, "belongs to no cluster yet", [
        "--data-dir",
        join(directory.path, "fresh"),
        ...FREE_PORTS,
        "-X",
        "controller.quorum.voters=1@a:1,2@b:1",
      ]],
      [1, "another program", [
        ...data,
        "--listen",
        "127.0.0.1:0",
        "--http",
        (broker.http as string).slice("http://".length),
      ]],
      [2, "--listen", ["--listen", "nowhere:x"]],
      [3, "nosuch.properties", ["-c", "nosuch.properties"]],
    ];
    for (const [status, says, words] of cases) {
      const result = await mq(["broker", "start", ...words]);
      expect([result.status, ...words]).toEqual([status, ...words]);
      expect(result.text).toBe("");
      expect(result.stderr).toContain(says);
      // One sentence, at most one remedy, each on its line; nothing of the program's inside.
      expect(result.stderr).toMatch(/^mq: [A-Z][^\n]*\n(hint: [A-Z-][^\n]*\n)?$/);
    }
    expect((await mq(["topic", "list"], broker)).status).toBe(0);
  });
});

test("mq takes nothing from the directory it is started in", async () => {
  await using directory = temporaryDirectory();
  writeFileSync(join(directory.path, ".env"), "MQ_BROKERS=127.0.0.1:1\n");
  writeFileSync(join(directory.path, "evil.ts"), "console.log('evil')\n");
  writeFileSync(join(directory.path, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
  const [command, ...first] = program();
  const result = await run(command, [...first, "--version"], { directory: directory.path });
  expect(result.text).toMatch(/^mq \d/);
  expect(result.text).not.toContain("evil");
});
