import { describe, expect, test } from "bun:test";
import type { DiskFile } from "../../src/env/disk.ts";
import { type Address, type Listener, PeerFault, type Stream } from "../../src/env/network.ts";
import { Prng } from "../../src/ground/prng.ts";
import { createHostDisk } from "../../src/host/disk.ts";
import { TcpNetwork } from "../../src/host/network.ts";
import { loadSendFile } from "../../src/host/sendfile.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";

const LOOPBACK: Address = { host: "127.0.0.1", port: 0 };
const FILE_BYTES = 9 * 1024 * 1024 + 123;

/** A stream with what came in over it. */
class Peer {
  readonly stream: Stream;
  readonly chunks: Uint8Array[] = [];
  byteCount = 0;
  isClosed = false;
  #wake: () => void = () => undefined;

  constructor(stream: Stream) {
    this.stream = stream;
    stream.listen({
      onBytes: (bytes) => {
        this.chunks.push(bytes.slice());
        this.byteCount += bytes.length;
        this.#wake();
      },
      onDrain: () => this.#wake(),
      onClose: () => {
        this.isClosed = true;
        this.#wake();
      },
    });
  }

  /** Resolves when it holds, looked at after every event of the stream. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.byteCount);
    let at = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }
}

interface Pair extends AsyncDisposable {
  readonly near: Peer;
  readonly far: Peer;
  readonly listener: Listener;
}

async function connect(network: TcpNetwork): Promise<Pair> {
  let onStream: (stream: Stream) => void = () => undefined;
  const accepted = new Promise<Stream>((resolve) => {
    onStream = resolve;
  });
  const listener = await network.listen(LOOPBACK, (stream) => onStream(stream));
  const near = new Peer(await network.dial(listener.address));
  const far = new Peer(await accepted);
  return {
    near,
    far,
    listener,
    async [Symbol.asyncDispose](): Promise<void> {
      near.stream.destroy();
      far.stream.destroy();
      await listener.close();
    },
  };
}

function makeFile(path: string): { readonly file: DiskFile; readonly content: Uint8Array } {
  const content = new Uint8Array(FILE_BYTES);
  const block = new Prng(5).bytes(65_536);
  for (let at = 0; at < FILE_BYTES; at += block.length) {
    content.set(block.subarray(0, Math.min(block.length, FILE_BYTES - at)), at);
    content[at] = (at >>> 16) & 255;
  }
  const file = createHostDisk().open(path, "write");
  file.write(0, [content]);
  return { file, content };
}

/** Bun has sendfile; both must give the same bytes. */
const ways: readonly (readonly [string, TcpNetwork])[] = [
  ["as this runtime does", new TcpNetwork(loadSendFile)],
  ["by reading and writing", new TcpNetwork(() => Promise.resolve(undefined))],
];

describe("TcpNetwork", () => {
  test("carries bytes both ways and tells of the end", async () => {
    await using pair = await connect(new TcpNetwork());
    pair.near.stream.write(Uint8Array.of(1, 2, 3));
    await pair.far.until(() => pair.far.byteCount === 3);
    pair.far.stream.write(Uint8Array.of(4));
    await pair.near.until(() => pair.near.byteCount === 1);
    pair.near.stream.end();
    await pair.far.until(() => pair.far.isClosed);
    await pair.near.until(() => pair.near.isClosed);
    expect([...pair.far.bytes(), ...pair.near.bytes()]).toEqual([1, 2, 3, 4]);
    expect(pair.near.stream.remote.port).toBe(pair.listener.address.port);
  });

  test("gives faults by kind: refused, in use, unknown name, stopped", async () => {
    const network = new TcpNetwork();
    const listener = await network.listen(LOOPBACK, () => undefined);
    const kindOf = async (attempt: Promise<unknown>): Promise<string> => {
      const fault = await attempt.catch((error: unknown) => error);
      return fault instanceof PeerFault ? fault.kind : String(fault);
    };
    expect(await kindOf(network.listen(listener.address, () => undefined))).toBe("in-use");
    await listener.close();
    expect(await kindOf(network.dial(listener.address))).toBe("refused");
    expect(await kindOf(network.dial({ host: "no.such.host.invalid", port: 1 }))).toBe("not-found");
    const refusal = await network.dial(listener.address).catch((error: unknown) => error);
    expect((refusal as PeerFault).message).toBe("connection refused");
    const signal = AbortSignal.abort();
    expect(await kindOf(network.dial(listener.address, { signal }))).toBe("closed");
  });

  for (const [name, network] of ways) {
    test(`sendFile() ${name}: the range, whole and in its place, to a reader that stops and goes on`, async () => {
      using directory = temporaryDirectory();
      const { file, content } = makeFile(`${directory.path}/f`);
      await using pair = await connect(network);
      pair.near.stream.pause();
      pair.far.stream.write(Uint8Array.of(9, 9));
      const position = 4097;
      const length = FILE_BYTES - 5000;
      const sent = pair.far.stream.sendFile(file, position, length);
      pair.near.stream.resume();
      await sent;
      pair.far.stream.write(Uint8Array.of(8));
      await pair.near.until(() => pair.near.byteCount === length + 3);
      const got = pair.near.bytes();
      expect([got[0], got[1], got[length + 2]]).toEqual([9, 9, 8]);
      const body = got.subarray(2, length + 2);
      const wanted = content.subarray(position, position + length);
      expect(body.every((byte, at) => byte === wanted[at])).toBeTrue();
      file.close();
    });

    test(`sendFile() ${name}: a peer that does not read keeps nobody else waiting`, async () => {
      using directory = temporaryDirectory();
      const { file } = makeFile(`${directory.path}/f`);
      await using stuck = await connect(network);
      await using other = await connect(network);
      stuck.near.stream.pause();
      let isSent = false;
      const sent = stuck.far.stream.sendFile(file, 0, FILE_BYTES).then(() => {
        isSent = true;
      });
      other.near.stream.write(Uint8Array.of(1));
      await other.far.until(() => other.far.byteCount === 1);
      expect(isSent).toBeFalse();
      stuck.near.stream.destroy(); // the peer goes: the send ends, and says nothing
      await sent;
      file.close();
    });

    test(`sendFile() ${name}: a file shorter than was promised ends the stream`, async () => {
      using directory = temporaryDirectory();
      const { file } = makeFile(`${directory.path}/f`);
      await using pair = await connect(network);
      await pair.far.stream.sendFile(file, FILE_BYTES - 10, 100);
      await pair.near.until(() => pair.near.isClosed);
      expect(pair.near.byteCount).toBeLessThanOrEqual(10);
      file.close();
    });
  }
});
