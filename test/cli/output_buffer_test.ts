import { describe, expect, test } from "bun:test";
import { BrokenPipe } from "../../cli/failure.ts";
import { OutputBuffer } from "../../cli/output_buffer.ts";
import { toBytes, toText } from "../../cli/record_text.ts";

/** A stream whose writes end when the test says so, and an event loop that turns when it says so. */
class ManualOutput {
  readonly pieces: string[] = [];
  readonly stdout = { isTerminal: false, write: (bytes: Uint8Array) => this.#write(bytes) };
  readonly #planned: (() => void)[] = [];
  #finish: { resolve(): void; reject(error: Error): void } | undefined;

  soon(action: () => void): void {
    this.#planned.push(action);
  }

  turn(): void {
    for (const action of this.#planned.splice(0)) action();
  }

  get isWriting(): boolean {
    return this.#finish !== undefined;
  }

  async finishWrite(error?: Error): Promise<void> {
    const finish = this.#finish;
    this.#finish = undefined;
    if (error === undefined) finish?.resolve();
    else finish?.reject(error);
    for (let round = 0; round < 4; round++) await Promise.resolve();
  }

  #write(bytes: Uint8Array): Promise<void> {
    this.pieces.push(toText(bytes));
    return new Promise((resolve, reject) => {
      this.#finish = { resolve, reject };
    });
  }
}

describe("OutputBuffer", () => {
  test("gathers until the event loop turns, then writes at once", async () => {
    const io = new ManualOutput();
    const out = new OutputBuffer(io, { bufferBytes: 100 });
    out.put(toBytes("one "));
    out.put(toBytes("two"));
    expect(io.pieces).toEqual([]);
    io.turn();
    expect(io.pieces).toEqual(["one two"]);
    await io.finishWrite();
    out.put(toBytes("three"));
    io.turn();
    expect(io.pieces).toEqual(["one two", "three"]);
  });

  test("writes when full without a turn, one write at a time", async () => {
    const io = new ManualOutput();
    const out = new OutputBuffer(io, { bufferBytes: 8 });
    for (const text of ["aaaa", "bbbb", "cccc"]) out.put(toBytes(text));
    expect(io.pieces).toEqual(["aaaabbbb"]);
    expect(out.isFull).toBeFalse();
    out.put(toBytes("dddd"));
    expect(out.isFull).toBeTrue();
    io.turn();
    expect(io.pieces).toEqual(["aaaabbbb"]);
    const drained = out.drain();
    await io.finishWrite();
    await drained;
    expect(io.pieces).toEqual(["aaaabbbb", "ccccdddd"]);
    expect(out.isFull).toBeFalse();
  });

  test("keeps records that are larger than the buffer whole", async () => {
    const io = new ManualOutput();
    const out = new OutputBuffer(io, { bufferBytes: 8 });
    out.put(toBytes("small"));
    out.put(toBytes("x".repeat(40)));
    out.put(toBytes("y".repeat(40)));
    const finished = out.finish();
    for (let round = 0; round < 5; round++) await io.finishWrite();
    await finished;
    expect(io.pieces.join("")).toBe(`small${"x".repeat(40)}${"y".repeat(40)}`);
  });

  test("putRange() copies only the range, long or short", async () => {
    const io = new ManualOutput();
    const out = new OutputBuffer(io);
    const bytes = toBytes(`<${"z".repeat(50)}>`);
    out.putRange(bytes, 1, 4);
    out.putRange(bytes, 1, 51);
    out.putRange(bytes, 2, 2);
    const finished = out.finish();
    await io.finishWrite();
    await finished;
    expect(io.pieces.join("")).toBe("z".repeat(53));
  });

  test("what was put may be overwritten behind it", async () => {
    const io = new ManualOutput();
    const out = new OutputBuffer(io);
    const bytes = toBytes("good");
    out.put(bytes);
    bytes.fill(0);
    io.turn();
    await io.finishWrite();
    expect(io.pieces).toEqual(["good"]);
  });

  test("tells of a failed write at once, and again when asked", async () => {
    const io = new ManualOutput();
    let failures = 0;
    const out = new OutputBuffer(io, { onFailure: () => void failures++ });
    out.put(toBytes("a"));
    io.turn();
    await io.finishWrite(new BrokenPipe("gone"));
    expect(failures).toBe(1);
    out.put(toBytes("b"));
    io.turn();
    expect(io.isWriting).toBeFalse();
    await expect(out.finish()).rejects.toThrow("gone");
  });
});
