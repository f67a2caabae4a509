/**
 * One connection with a peer that takes its replies, or does not.
 *
 * Longer than most: every bound of a connection shows itself only together with the others, and all of
 * them need the same stream.
 */
import { describe, expect, test } from "bun:test";
import { ClientConnection } from "../../src/broker/connection.ts";
import type { EncodedReply, Reply } from "../../src/broker/reply_queue.ts";
import { InflightBytes } from "../../src/broker/inflight.ts";
import type { DiskFile } from "../../src/env/disk.ts";
import type { Stream, StreamEvents } from "../../src/env/network.ts";
import { BufferPool } from "../../src/ground/buffer_pool.ts";
import type { Foreign } from "../../src/ground/writer.ts";
import { ManualClock } from "../client/manual_clock.ts";

/** A peer that takes what it is given, or not. */
class FakeStream implements Stream {
  readonly remote = { host: "peer", port: 1 };
  readonly written: number[][] = [];
  readonly sentFiles: string[] = [];
  queuedBytes = 0;
  isPaused = false;
  isEnded = false;
  events: StreamEvents | undefined;
  fileDone: (() => void) | undefined;

  listen(events: StreamEvents): void {
    this.events = events;
  }
  write(bytes: Uint8Array): boolean {
    this.written.push([...bytes]);
    return true;
  }
  sendFile(file: DiskFile, position: number, length: number): Promise<void> {
    this.sentFiles.push(`${file.path}@${position}+${length}`);
    return new Promise((resolve) => {
      this.fileDone = resolve;
    });
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    this.events?.onClose();
  }
  receive(...frames: readonly (readonly number[])[]): void {
    for (const frame of frames) {
      this.events?.onBytes(Uint8Array.of(0, 0, 0, frame.length, ...frame));
    }
  }
}

interface Setup {
  readonly stream: FakeStream;
  readonly connection: ClientConnection;
  readonly clock: ManualClock;
  readonly inflight: InflightBytes;
  /** Bytes of frames in the order of dispatch. */
  readonly dispatched: number[][];
  readonly closed: (string | undefined)[];
}

function connect(
  reply: (frame: readonly number[]) => Reply | Promise<Reply>,
  limits: { requestsMax?: number; inflightMax?: number } = {},
): Setup {
  const stream = new FakeStream();
  const clock = new ManualClock();
  const inflight = new InflightBytes(limits.inflightMax ?? -1);
  const dispatched: number[][] = [];
  const closed: (string | undefined)[] = [];
  const connection = new ClientConnection({
    scope: "all",
    remote: "client:1",
    stream,
    clock,
    trace: { event: () => undefined },
    inflight,
    pool: new BufferPool({ bytesMax: 1 << 20, isPoisoned: true }),
    frameBytesMax: 1000,
    requestsMax: limits.requestsMax ?? 100,
    queuedBytesMax: 1000,
    dispatch: (frame) => {
      dispatched.push([...frame]);
      return reply([...frame]);
    },
    onBadRequest: (reason) => closed.push(reason),
    onClose: () => closed.push(undefined),
  });
  return { stream, connection, clock, inflight, dispatched, closed };
}

function parts(...bytes: readonly number[]): EncodedReply {
  return { kind: "parts", parts: [Uint8Array.from(bytes)] };
}

const frame = (id: number): number[] => [id, 0, 0, 0, 0, 0, 0, id];

describe("ClientConnection", () => {
  test("sends replies in the order of the requests, whichever is ready first", async () => {
    const waiting = new Map<number, (reply: Reply) => void>();
    const { stream, clock } = connect(([id = 0]) =>
      new Promise((resolve) => waiting.set(id, resolve))
    );
    stream.receive(frame(1), frame(2), frame(3));
    waiting.get(3)?.(parts(3));
    waiting.get(2)?.({ kind: "none" });
    await clock.settle();
    expect(stream.written).toEqual([]);
    waiting.get(1)?.(parts(1));
    await clock.settle();
    expect(stream.written.flat()).toEqual([1, 3]);
  });

  test("sends replies of requests that came together in one write", async () => {
    const { stream, clock } = connect(([id = 0]) => parts(id, id));
    stream.receive(frame(1), frame(2), frame(3));
    await clock.settle();
    expect(stream.written).toEqual([[1, 1, 2, 2, 3, 3]]);
  });

  test("stops reading at its bound of requests and goes on when some are answered", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const { stream, clock, dispatched } = connect(
      () => new Promise((resolve) => waiting.push(resolve)),
      { requestsMax: 2 },
    );
    stream.receive(frame(1), frame(2), frame(3));
    expect(dispatched).toHaveLength(2);
    expect(stream.isPaused).toBeTrue();
    waiting[0]?.(parts(1));
    await clock.settle();
    expect(dispatched).toHaveLength(3);
    expect(stream.isPaused).toBeTrue();
    waiting[1]?.(parts(2));
    waiting[2]?.(parts(3));
    await clock.settle();
    expect(stream.isPaused).toBeFalse();
    expect(stream.written.flat()).toEqual([1, 2, 3]);
  });

  test("a frame that must wait is a copy: the memory it was lent in is used again", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const { stream, clock, dispatched } = connect(
      () => new Promise((resolve) => waiting.push(resolve)),
      { requestsMax: 1 },
    );
    // Byte by byte, so that each frame is assembled in the pool, which poisons what it gets back.
    for (const id of [1, 2, 3]) {
      for (const byte of [0, 0, 0, 8, ...frame(id)]) stream.events?.onBytes(Uint8Array.of(byte));
    }
    waiting[0]?.(parts(1));
    await clock.settle();
    waiting[1]?.(parts(2));
    await clock.settle();
    expect(dispatched).toEqual([frame(1), frame(2), frame(3)]);
  });

  test("stops reading while the pool of all connections is full, and is woken", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const { stream, clock, inflight, dispatched } = connect(
      () => new Promise((resolve) => waiting.push(resolve)),
      { inflightMax: 20 },
    );
    inflight.take(20); // another connection's
    stream.receive(frame(1), frame(2));
    expect(dispatched).toHaveLength(1); // one may always run
    expect(stream.isPaused).toBeTrue();
    inflight.give(20);
    expect(dispatched).toHaveLength(2);
    for (const resolve of waiting) resolve(parts(9));
    await clock.settle();
    expect(inflight.bytes).toBe(0);
  });

  test("stops reading while the peer does not take its replies", async () => {
    const { stream, clock } = connect(([id = 0]) => parts(id));
    stream.queuedBytes = 5000;
    stream.receive(frame(1));
    expect(stream.isPaused).toBeTrue();
    stream.queuedBytes = 0;
    stream.events?.onDrain();
    await clock.settle();
    expect(stream.isPaused).toBeFalse();
    expect(stream.written.flat()).toEqual([1]);
  });

  test("sends a file in its place and gives it back", async () => {
    let releases = 0;
    const slice = {
      kind: "file",
      file: { path: "f" } as DiskFile,
      position: 10,
      byteLength: 5,
      release: () => void releases++,
    } as Foreign;
    const { stream, clock } = connect(([id = 0]): Reply =>
      id === 2 ? { kind: "parts", parts: [Uint8Array.of(2), slice, Uint8Array.of(22)] } : parts(id)
    );
    stream.receive(frame(1), frame(2), frame(3));
    await clock.settle();
    expect(stream.written.flat()).toEqual([1, 2]);
    expect(stream.sentFiles).toEqual(["f@10+5"]);
    expect(releases).toBe(0);
    stream.fileDone?.();
    await clock.settle();
    expect(stream.written.flat()).toEqual([1, 2, 22, 3]);
    expect(releases).toBe(1);
  });

  test("gives back files and bytes of requests under way when the peer goes", async () => {
    let releases = 0;
    const slice = { byteLength: 5, release: () => void releases++ } as Foreign;
    const waiting: ((reply: Reply) => void)[] = [];
    const { stream, clock, inflight, closed } = connect(() =>
      new Promise((resolve) => waiting.push(resolve))
    );
    stream.receive(frame(1), frame(2));
    waiting[1]?.({ kind: "parts", parts: [slice] });
    await clock.settle();
    stream.destroy();
    waiting[0]?.({ kind: "parts", parts: [slice] });
    await clock.settle();
    expect(releases).toBe(2);
    expect(inflight.bytes).toBe(0);
    expect(closed).toEqual([undefined]);
  });

  test("answers what came before the rubbish, then closes with the reason", async () => {
    const { stream, clock, closed } = connect(([id = 0]) => parts(id));
    stream.receive(frame(1));
    stream.events?.onBytes(Uint8Array.of(0x47, 0x45, 0x54, 0x20, 1, 2, 3));
    await clock.settle();
    expect(stream.written.flat()).toEqual([1]);
    expect(stream.isEnded).toBeTrue();
    expect(closed[0]).toMatch(/HTTP/);
    await clock.advance(1000); // a peer that does not say goodbye is left
    expect(closed).toHaveLength(2);
  });

  test("a reply that closes is the last", async () => {
    const { stream, clock, dispatched, closed } = connect(([id = 0]): Reply =>
      id === 2 ? { kind: "close", reason: "enough" } : parts(id)
    );
    stream.receive(frame(1), frame(2), frame(3));
    await clock.settle();
    expect(stream.written.flat()).toEqual([1]);
    expect(stream.isEnded).toBeTrue();
    stream.receive(frame(4));
    expect(dispatched.some(([id]) => id === 4)).toBeFalse();
    stream.destroy();
    expect(closed).toEqual(["enough", undefined]);
  });

  test("ends gracefully: what is under way is answered, nothing more is begun", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const { stream, connection, clock } = connect(() =>
      new Promise((resolve) => waiting.push(resolve))
    );
    stream.receive(frame(1));
    let isTold = false;
    connection.onceGoing(() => {
      isTold = true;
    });
    connection.endGracefully();
    expect(isTold).toBeTrue();
    expect(stream.isEnded).toBeFalse();
    waiting[0]?.(parts(1));
    await clock.settle();
    expect(stream.written.flat()).toEqual([1]);
    expect(stream.isEnded).toBeTrue();
  });

  test("lets others have their turn in the middle of a flood of small requests", async () => {
    const { stream, clock, dispatched } = connect(([id = 0]) => parts(id));
    const flood = Array.from({ length: 1000 }, () => frame(1)).flatMap((
      one,
    ) => [0, 0, 0, 8, ...one]);
    stream.events?.onBytes(Uint8Array.from(flood));
    expect(dispatched.length).toBe(256);
    expect(stream.isPaused).toBeTrue();
    await clock.advance(10);
    expect(dispatched.length).toBe(1000);
    expect(stream.isPaused).toBeFalse();
  });

  test("answers that waited together are encoded one by one, as the peer takes them", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const { stream, clock } = connect(() => new Promise((resolve) => waiting.push(resolve)));
    stream.receive(...Array.from({ length: 9 }, (_, at) => frame(at)));
    const encoded: number[] = [];
    waiting.forEach((settle, id) =>
      settle({
        kind: "answer",
        encode: () => {
          encoded.push(id);
          stream.queuedBytes += 400;
          return parts(id);
        },
      })
    );
    await clock.advance(10);
    expect(encoded).toEqual([0, 1, 2]);
    stream.queuedBytes = 0;
    stream.events?.onDrain();
    await clock.advance(10);
    expect(encoded).toEqual([0, 1, 2, 3, 4, 5]);
    stream.queuedBytes = 0;
    stream.events?.onDrain();
    await clock.advance(10);
    expect(stream.written.flat()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("lets others have their turn between dear answers, and drops those of a peer that goes", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const setup = connect(() => new Promise((resolve) => waiting.push(resolve)));
    const { stream, clock, inflight } = setup;
    stream.receive(frame(1), frame(2), frame(3), frame(4));
    const encoded: number[] = [];
    waiting.forEach((settle, id) =>
      settle({
        kind: "answer",
        encode: () => {
          encoded.push(id);
          clock.leap(5);
          return parts(id);
        },
      })
    );
    await clock.settle();
    expect(encoded).toEqual([0]);
    await clock.advance(0);
    expect(encoded).toEqual([0, 1]);
    stream.destroy();
    await clock.advance(10);
    expect(encoded).toEqual([0, 1]);
    expect(inflight.bytes).toBe(0);
  });

  test("a pool that its own reply makes room in wakes it, and every reply leaves once", async () => {
    const waiting = new Map<number, (reply: Reply) => void>();
    const { stream, clock, inflight } = connect(
      ([id = 0]) => new Promise((resolve) => waiting.set(id, resolve)),
      { inflightMax: 8 },
    );
    stream.receive(frame(1), frame(2), frame(3));
    for (const id of [1, 2, 3]) {
      await clock.settle();
      waiting.get(id)?.(parts(id));
    }
    await clock.settle();
    expect(stream.written.flat()).toEqual([1, 2, 3]);
    expect(inflight.bytes).toBe(0);
  });

  test("a large reply that ends a graceful stop is not overtaken", async () => {
    const waiting: ((reply: Reply) => void)[] = [];
    const { stream, connection, clock } = connect(() =>
      new Promise((resolve) => waiting.push(resolve))
    );
    stream.receive(frame(1), frame(2));
    connection.endGracefully();
    waiting[1]?.(parts(2));
    waiting[0]?.(parts(...new Array<number>(70_000).fill(1)));
    await clock.settle();
    expect(stream.written.flat().length).toBe(70_001);
    expect(stream.written.flat().at(-1)).toBe(2);
    expect(stream.isEnded).toBeTrue();
  });
});
