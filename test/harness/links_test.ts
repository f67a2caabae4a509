/** The proxy between nodes: what passes, what waits, and in which direction. */
import { describe, expect, test } from "bun:test";
import net from "node:net";
import process from "node:process";
import { Links } from "./links.ts";
import { until } from "./until.ts";

/** A node that answers every piece with the same piece behind "echo:". */
async function echoServer(): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => socket.write(`echo:${bytes}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as net.AddressInfo).port,
    close(): void {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

interface Dialled {
  readonly socket: net.Socket;
  heard: string;
  isClosed: boolean;
}

function dial(port: number): Dialled {
  const dialled: Dialled = { socket: net.connect(port, "127.0.0.1"), heard: "", isClosed: false };
  dialled.socket.on("data", (bytes) => dialled.heard += String(bytes));
  dialled.socket.on("close", () => dialled.isClosed = true);
  dialled.socket.on("error", () => undefined);
  return dialled;
}

interface World {
  readonly links: Links;
  /** Of node 2, as others see it. */
  readonly front: number;
}

/** Node 2 is an echo server; node 1 is this process, where it is told so. */
async function inWorld(run: (world: World) => Promise<void>, isNode = true): Promise<void> {
  await using links = new Links();
  const server = await echoServer();
  try {
    const front = await links.open(2);
    links.onStart(2, { port: server.port, pid: 1 });
    if (isNode) links.onStart(1, { port: 1, pid: process.pid });
    await run({ links, front });
  } finally {
    server.close();
  }
}

function stopped(links: Links, source: number, target: number): Promise<void> {
  return until("it waits at the cut", () => links.waiting(source, target) === 1);
}

describe("Links", () => {
  test("carries bytes both ways, and knows who dialled", async () => {
    await inWorld(async ({ links, front }) => {
      const one = dial(front);
      one.socket.write("a");
      await until("the echo is there", () => one.heard === "echo:a");
      expect(links.count(1, 2)).toBe(1);
      expect(links.count("client", 2)).toBe(0);
      one.socket.destroy();
      await until("the tunnel is gone", () => links.count(1, 2) === 0);
    });
    await inWorld(async ({ links, front }) => {
      const one = dial(front);
      one.socket.write("a");
      await until("the echo is there", () => one.heard === "echo:a");
      expect(links.count("client", 2)).toBe(1);
      one.socket.destroy();
    }, false);
  });

  test("cut() holds back one direction only, and heal() lets it go on", async () => {
    await inWorld(async ({ links, front }) => {
      const one = dial(front);
      one.socket.write("a");
      await until("the echo is there", () => one.heard === "echo:a");
      links.cut(2, 1); // the question arrives, the answer does not
      one.socket.write("b");
      await stopped(links, 2, 1);
      expect(one.heard).toBe("echo:a");
      links.heal();
      await until("the answer is there", () => one.heard === "echo:aecho:b");
      links.cut(1, 2);
      one.socket.write("c");
      await stopped(links, 1, 2);
      expect(one.heard).toBe("echo:aecho:b");
      links.heal();
      await until("the answer is there", () => one.heard.endsWith("echo:c"));
      one.socket.destroy();
    });
  });

  test("a connection through a cut link is silent until it is healed", async () => {
    await inWorld(async ({ links, front }) => {
      links.cut(1, 2);
      const one = dial(front);
      one.socket.write("a");
      await stopped(links, 1, 2);
      expect([one.heard, one.isClosed]).toEqual(["", false]);
      links.heal();
      await until("the echo is there", () => one.heard === "echo:a");
      one.socket.destroy();
    });
  });

  test("a cut link does not let the end of a connection through", async () => {
    await inWorld(async ({ links, front }) => {
      const one = dial(front);
      one.socket.write("a");
      await until("the echo is there", () => one.heard === "echo:a");
      links.cut(1, 2);
      one.socket.end();
      await stopped(links, 1, 2);
      expect(links.count(1, 2)).toBe(1);
      links.heal();
      await until("the tunnel is gone", () => links.count(1, 2) === 0);
    });
  });

  test("clients are not cut with a node", async () => {
    await inWorld(async ({ links, front }) => {
      links.cut(1, 2);
      links.cut(2, 1);
      const one = dial(front);
      one.socket.write("a");
      await until("the echo is there", () => one.heard === "echo:a");
      one.socket.destroy();
    }, false);
  });

  test("break() resets, delay() delays, and nobody is reached who is not there", async () => {
    await inWorld(async ({ links, front }) => {
      const one = dial(front);
      one.socket.write("a");
      await until("the echo is there", () => one.heard === "echo:a");
      links.break(2, 1);
      await until("it is closed", () => one.isClosed);
      links.delay(1, 2, 50);
      const began = performance.now();
      const two = dial(front);
      two.socket.write("b");
      await until("the echo is there", () => two.heard === "echo:b");
      expect(performance.now() - began).toBeGreaterThan(49);
      two.socket.destroy();
      links.heal();
      links.onEnd(2);
      const three = dial(front);
      await until("it is refused", () => three.isClosed);
    });
  });

  test("carries much, and all of it", async () => {
    await inWorld(async ({ front }) => {
      const one = dial(front);
      const piece = "0123456789abcdef".repeat(4096);
      for (let count = 0; count < 16; count++) one.socket.write(piece);
      await until("all is there", () => one.heard.replaceAll("echo:", "").length >= 16 * 65536);
      expect(one.heard.replaceAll("echo:", "")).toBe(piece.repeat(16));
      one.socket.destroy();
    });
  });
});
