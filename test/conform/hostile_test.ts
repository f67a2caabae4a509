/**
 * A few attacks over real sockets on the real binary: others are served meanwhile, memory stays
 * bounded, each incident is told once, and what was acknowledged before is there afterwards.
 *
 * The long table of bad input is in `test/broker/bad_input_test.ts`, on a broker in memory.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import net from "node:net";
import { apiVersions } from "../../src/api/api_versions.ts";
import { fetch as fetchApi } from "../../src/api/fetch.ts";
import { requestFrame } from "../../src/wire/message.ts";
import { FETCH_VERSION, fetchBody } from "../broker/topic_requests.ts";
import { type Broker, mq, startBroker } from "../harness/broker.ts";

const MEBIBYTE = 1024 * 1024;
const LINES = Array.from({ length: 1000 }, (_, index) => `line ${index} ${"x".repeat(900)}\n`);
/** What a broker may take beyond what it had, whatever it is sent. */
const GROWTH_BYTES_MAX = 150 * MEBIBYTE;

let broker: Broker;
let residentBefore = 0;

beforeAll(async () => {
  broker = await startBroker();
  const produced = await mq(["produce", "kept", "-q"], broker, { input: LINES.join("") });
  expect(produced.status, produced.stderr).toBe(0);
  residentBefore = residentBytes();
});
afterAll(() => broker[Symbol.asyncDispose]());

/** Resident memory as Linux tells it; 0 elsewhere. */
function residentBytes(): number {
  try {
    const status = readFileSync(`/proc/${broker.process.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

class Peer implements Disposable {
  readonly socket: net.Socket;
  /** Once the broker has closed its side. */
  readonly ended: Promise<void>;
  byteCount = 0;
  #enough: (() => void) | undefined;
  #wanted = Infinity;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    this.ended = new Promise((resolve) => {
      socket.on("end", resolve);
      socket.on("close", () => resolve());
    });
    socket.on("error", () => undefined);
  }

  static async dial(): Promise<Peer> {
    const [host = "", port = ""] = broker.kafka.split(":");
    const socket = net.connect({ host, port: Number(port), allowHalfOpen: true });
    await new Promise((resolve, reject) => {
      socket.once("connect", () => resolve(undefined));
      socket.once("error", reject);
    });
    return new Peer(socket);
  }

  send(...parts: readonly { readonly byteLength: number }[]): void {
    for (const part of parts) this.socket.write(part as Uint8Array);
  }

  /** Reads, and resolves when so many bytes have come. */
  receive(byteCount: number): Promise<void> {
    this.#wanted = byteCount;
    this.socket.on("data", (bytes: Uint8Array) => {
      this.byteCount += bytes.length;
      if (this.byteCount >= this.#wanted) this.#enough?.();
    });
    return new Promise((resolve) => {
      this.#enough = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const header = { apiVersion: 0, correlationId: 1, clientId: "hostile" };
const askVersions = requestFrame(apiVersions, header, {});

/** A well-behaved client of its own is answered. */
async function expectServing(): Promise<void> {
  using peer = await Peer.dial();
  const answered = peer.receive(4);
  peer.send(...askVersions);
  await answered;
  expect(residentBytes()).toBeLessThanOrEqual(residentBefore + GROWTH_BYTES_MAX);
}

function warnings(): readonly string[] {
  return broker.process.stderr().split("\n").filter((line) => line.includes("connection closed"));
}

async function dialMany(count: number): Promise<AsyncDisposable & { readonly all: Peer[] }> {
  const all = await Promise.all(Array.from({ length: count }, () => Peer.dial()));
  return {
    all,
    async [Symbol.asyncDispose](): Promise<void> {
      for (const peer of all) peer[Symbol.dispose]();
      await Promise.all(all.map((peer) => peer.ended));
    },
  };
}

describe("A hostile client", () => {
  test("that speaks HTTP is hung up on, and a hundred of them do not fill the log", async () => {
    await using peers = await dialMany(100);
    for (const { socket } of peers.all) socket.write("GET / HTTP/1.1\r\nHost: mq\r\n\r\n");
    await Promise.all(peers.all.map((peer) => peer.ended));
    await expectServing();
    expect(warnings().length).toBeGreaterThanOrEqual(1);
    expect(warnings().length).toBeLessThanOrEqual(11);
    expect(warnings()[0] ?? "").toMatch(/an HTTP request/);
  });

  test("that declares 100 MiB and sends a byte gets no memory for it", async () => {
    await using peers = await dialMany(300);
    for (const { socket } of peers.all) socket.write(Uint8Array.of(6, 0x40, 0, 0, 0));
    await expectServing();
  });

  test("that pipelines a flood of tiny requests keeps nobody else waiting, and is answered", async () => {
    using flood = await Peer.dial();
    const count = 50_000;
    const one = Buffer.concat(askVersions as readonly Uint8Array[]);
    using first = await Peer.dial();
    first.send(one);
    const answer = await new Promise<Uint8Array>((resolve) => first.socket.once("data", resolve));
    const answered = flood.receive(count * answer.length);
    flood.send(Buffer.concat(Array.from({ length: count }, () => one)));
    await expectServing();
    await answered;
    expect(flood.byteCount).toBe(count * answer.length);
  });

  test("that fetches without ever reading is not answered without bound", async () => {
    await using peers = await dialMany(30);
    const asked = requestFrame(
      fetchApi,
      { ...header, apiVersion: FETCH_VERSION },
      fetchBody("kept"),
    );
    for (const peer of peers.all) {
      peer.socket.pause();
      for (let request = 0; request < 50; request++) peer.send(...asked);
    }
    await expectServing();
  });

  test("that goes in the middle of a frame is forgotten", async () => {
    await using peers = await dialMany(50);
    for (const peer of peers.all) peer.socket.end(Uint8Array.of(0, 0, 1, 0, 0, 18));
    await Promise.all(peers.all.map((peer) => peer.ended));
    await expectServing();
  });

  test("has harmed nothing: all records are there, more are taken, and the broker stops well", async () => {
    const read = await mq(["consume", "kept", "-o", "start:end"], broker);
    expect(read.text).toBe(LINES.join(""));
    const produced = await mq(["produce", "kept", "-q", "after"], broker);
    expect(produced.status, produced.stderr).toBe(0);
    expect(broker.process.stderr()).not.toMatch(/unhandled|uncaught|AssertionFailure/i);
    expect(await broker.stop()).toBe(0);
  });
});
