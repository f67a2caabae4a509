/** Streams between parts of one program: bytes arrive a microtask later, in order, maybe in pieces. */
import type { DiskFile } from "../../src/env/disk.ts";
import {
  type Address,
  type DialOptions,
  type Listener,
  type Network,
  PeerFault,
  type Stream,
  type StreamEvents,
} from "../../src/env/network.ts";

export class MemoryNetwork implements Network {
  /** Pieces in which bytes arrive. */
  pieceBytes = Infinity;
  streamsMax = Infinity;
  /** How often each address was dialled. */
  readonly dials = new Map<string, number>();
  readonly #listeners = new Map<string, (stream: Stream) => void>();

  listen(address: Address, onStream: (stream: Stream) => void): Promise<Listener> {
    const key = keyOf(address);
    this.#listeners.set(key, onStream);
    return Promise.resolve({
      address,
      close: () => {
        this.#listeners.delete(key);
        return Promise.resolve();
      },
    });
  }

  async dial(address: Address, options: DialOptions = {}): Promise<Stream> {
    const key = keyOf(address);
    this.dials.set(key, (this.dials.get(key) ?? 0) + 1);
    await Promise.resolve();
    if (options.signal?.aborted === true) throw new PeerFault("closed", `${key}: stopped`);
    const onStream = this.#listeners.get(key);
    if (onStream === undefined) throw new PeerFault("refused", `${key}: ECONNREFUSED`);
    const near = new MemoryStream(address, this);
    const far = new MemoryStream({ host: "client", port: 1 }, this);
    near.peer = far;
    far.peer = near;
    onStream(far);
    return near;
  }
}

class MemoryStream implements Stream {
  readonly remote: Address;
  peer: MemoryStream | undefined;
  queuedBytes = 0;
  readonly #network: MemoryNetwork;
  #events: StreamEvents | undefined;
  #early: Uint8Array[] = [];
  #isClosed = false;

  constructor(remote: Address, network: MemoryNetwork) {
    this.remote = remote;
    this.#network = network;
  }

  listen(events: StreamEvents): void {
    this.#events = events;
    for (const bytes of this.#early.splice(0)) events.onBytes(bytes);
  }

  write(bytes: Uint8Array): boolean {
    const copy = bytes.slice(); // whoever writes may reuse nothing, and so a test would notice
    Promise.resolve().then(() => this.peer?.receive(copy));
    return true;
  }

  receive(bytes: Uint8Array): void {
    const { pieceBytes } = this.#network;
    for (let at = 0; at < bytes.length && !this.#isClosed; at += pieceBytes) {
      const piece = bytes.subarray(at, Math.min(at + pieceBytes, bytes.length));
      if (this.#events === undefined) this.#early.push(piece);
      else this.#events.onBytes(piece);
    }
  }

  async sendFile(file: DiskFile, position: number, length: number): Promise<void> {
    this.write(await file.read(position, length));
  }

  pause(): void {}

  resume(): void {}

  end(): void {
    Promise.resolve().then(() => this.destroy());
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const peer = this.peer;
    Promise.resolve().then(() => {
      this.#events?.onClose();
      peer?.destroy();
    });
  }
}

function keyOf(address: Address): string {
  return `${address.host}:${address.port}`;
}
