import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { FrameSplitter } from "../../src/wire/frame.ts";
import { seedOf } from "./random_message.ts";

const FRAME_BYTES_MAX = 100 * 1024 * 1024;

interface Split {
  readonly splitter: FrameSplitter;
  readonly frames: Uint8Array[];
}

function split(frameBytesMax = FRAME_BYTES_MAX): Split {
  const frames: Uint8Array[] = [];
  return {
    frames,
    splitter: new FrameSplitter({ frameBytesMax, onFrame: (frame) => frames.push(frame) }),
  };
}

function framed(...bodies: readonly Uint8Array[]): Uint8Array {
  const stream = new Uint8Array(bodies.reduce((sum, body) => sum + 4 + body.length, 0));
  const view = new DataView(stream.buffer);
  let at = 0;
  for (const body of bodies) {
    view.setInt32(at, body.length);
    stream.set(body, at + 4);
    at += 4 + body.length;
  }
  return stream;
}

function length(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

const bodies = [8, 9, 300, 5000, 8, 70_000].map((size, index) => new Prng(index).bytes(size));

describe("FrameSplitter", () => {
  test("hands on frames inside one chunk as views of it", () => {
    const { splitter, frames } = split();
    const stream = framed(...bodies);
    expect(splitter.push(stream)).toBeUndefined();
    expect(frames).toEqual(bodies);
    for (const frame of frames) expect(frame.buffer).toBe(stream.buffer);
    expect(splitter.pendingBytes).toBe(0);
  });

  test("finds the frames when they come byte by byte", () => {
    const { splitter, frames } = split();
    const reasons = new Set<string | undefined>();
    for (const byte of framed(...bodies)) reasons.add(splitter.push(new Uint8Array([byte])));
    expect([...reasons]).toEqual([undefined]);
    expect(frames).toEqual(bodies);
  });

  test("finds the frames however the stream is cut", () => {
    const prng = new Prng(seedOf("frame"));
    for (let round = 0; round < 300; round++) {
      const { splitter, frames } = split();
      const [size, count] = prng.oneIn(2) ? [900, 4] : [50_000, bodies.length];
      const stream = framed(...bodies.slice(0, count));
      for (let at = 0; at < stream.length;) {
        const end = Math.min(stream.length, at + prng.below(size));
        expect(splitter.push(stream.subarray(at, end))).toBeUndefined();
        at = end;
      }
      expect(frames).toEqual(bodies.slice(0, count));
      expect(splitter.pendingBytes).toBe(0);
    }
  });

  test("finds two frames at every cut through them", () => {
    const small = bodies.slice(0, 2);
    const stream = framed(...small);
    for (let at = 0; at <= stream.length; at++) {
      const { splitter, frames } = split();
      splitter.push(stream.subarray(0, at));
      expect(splitter.pendingBytes).toBe(at < 12 ? at : at < 25 ? at - 12 : 0);
      splitter.push(stream.subarray(at));
      expect(frames).toEqual(small);
    }
  });

  test("keeps an assembled frame when the chunks' memory is used again", () => {
    const { splitter, frames } = split();
    const stream = framed(bodies[2] as Uint8Array, bodies[3] as Uint8Array);
    const chunk = new Uint8Array(100);
    for (let at = 0; at < 300; at += 100) {
      chunk.set(stream.subarray(at, at + 100));
      splitter.push(chunk);
    }
    splitter.push(stream.subarray(300));
    chunk.fill(0);
    expect(frames).toEqual(bodies.slice(2, 4));
  });

  test("does not pay for what is declared but not sent", () => {
    const made: number[] = [];
    const Original = globalThis.Uint8Array;
    globalThis.Uint8Array = new Proxy(Original, {
      construct(target, parameters, newTarget): object {
        if (typeof parameters[0] === "number") made.push(parameters[0]);
        return Reflect.construct(target, parameters, newTarget);
      },
    });
    try {
      const { splitter } = split();
      splitter.push(length(FRAME_BYTES_MAX));
      splitter.push(length(1));
      expect(Math.max(...made)).toBeLessThanOrEqual(128 * 1024);
      splitter.push(Original.from({ length: 100_000 }, () => 1));
      splitter.push(Original.from({ length: 100_000 }, () => 1));
      expect(splitter.pendingBytes).toBe(200_008);
    } finally {
      globalThis.Uint8Array = Original;
    }
    expect(made.length).toBeGreaterThan(1);
    expect(Math.max(...made)).toBeLessThanOrEqual(4 * 200_008);
  });

  test("a frame of exactly the limits passes, one byte beyond does not", () => {
    const { splitter, frames } = split(300);
    expect(splitter.push(framed(bodies[0] as Uint8Array, bodies[2] as Uint8Array))).toBeUndefined();
    expect(frames).toHaveLength(2);
    expect(splitter.push(length(301))).toBe("Cannot read frame: its length 301 is over 300");
    expect(split().splitter.push(length(7))).toBe("Cannot read frame: its length 7 is below 8");
    expect(split().splitter.push(length(-1))).toBe("Cannot read frame: its length -1 is below 8");
  });

  test("says so when the peer speaks HTTP or TLS", () => {
    for (const line of ["GET / HTTP/1.1\r\n", "POST /x HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n"]) {
      expect(split().splitter.push(text(line)) ?? "").toContain("an HTTP request");
    }
    const hello = new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);
    expect(split().splitter.push(hello) ?? "").toContain("a TLS handshake");
    expect(split().splitter.push(text("HTTP/1.1 400 Bad Request\r\n")) ?? "")
      .toContain("an HTTP answer");
    expect(split().splitter.push(text("SSH-2.0-x\r\n")) ?? "").toContain("its length 1397966893");
  });

  test("frames before the rubbish are handed on, and nothing after it", () => {
    const { splitter, frames } = split();
    const good = framed(bodies[0] as Uint8Array);
    const stream = new Uint8Array([...good, ...length(-5), ...good]);
    const reason = splitter.push(stream);
    expect(reason).toBeDefined();
    expect(frames).toHaveLength(1);
    expect(splitter.push(good)).toBe(reason ?? "");
    expect(frames).toHaveLength(1);
  });

  test("a reader of responses may allow shorter frames", () => {
    const frames: Uint8Array[] = [];
    const splitter = new FrameSplitter({
      frameBytesMax: 100,
      frameBytesMin: 6,
      onFrame: (frame) => frames.push(frame),
    });
    expect(splitter.push(framed(new Uint8Array(6)))).toBeUndefined();
    expect(frames).toHaveLength(1);
    expect(splitter.push(length(5)) ?? "").toContain("below 6");
  });
});
