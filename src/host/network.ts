/**
 * TCP over `node:net`, which Bun and Deno both have (on Bun it is also the faster of the two ways).
 *
 * Not here: framing, timeouts of requests, limits on connections; those belong to who uses a stream.
 */
import net from "node:net";
import type { DiskFile } from "../env/disk.ts";
import {
  type Address,
  type DialOptions,
  type Listener,
  type Network,
  PeerFault,
  type Stream,
  type StreamEvents,
} from "../env/network.ts";
import { descriptorsMax } from "./descriptors.ts";
import { loadSendFile, type SendFile } from "./sendfile.ts";

const BACKLOG = 1024;
/** What is read from a file and written at once where sendfile cannot be used. */
const COPY_BYTES = 256 * 1024;
/** What is handed to sendfile at once: as much as `isResident` looks at. */
const SEND_BYTES = 1024 * 1024 - 4096;
/** Of the descriptors that a process may have; files have a part of their own (`disk.ts`). */
const STREAMS_SHARE = 0.6;
const DIAL_TIMEOUT_MS = 10_000;

export class TcpNetwork implements Network {
  readonly streamsMax = Math.floor(descriptorsMax() * STREAMS_SHARE);
  readonly #loadSendFile: () => Promise<SendFile | undefined>;

  /** Without sendfile(2), or where `load` finds none, files are read and written. */
  constructor(load: () => Promise<SendFile | undefined> = loadSendFile) {
    this.#loadSendFile = load;
  }

  listen(address: Address, onStream: (stream: Stream) => void): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ noDelay: true }, (socket) => {
        onStream(new TcpStream(socket, this.#loadSendFile));
      });
      server.once("error", (error) => reject(peerFault(error)));
      server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
        // From here on an error is one of accept (too many files): the listener goes on.
        server.on("error", () => undefined);
        const { port } = server.address() as net.AddressInfo;
        resolve({
          address: { host: address.host, port },
          close: () => new Promise<void>((done) => server.close(() => done())),
        });
      });
    });
  }

  dial(address: Address, options: DialOptions = {}): Promise<Stream> {
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted === true) {
        reject(new PeerFault("closed", "stopped"));
        return;
      }
      const socket = net.connect({ host: address.host, port: address.port, noDelay: true });
      const timeoutMs = options.timeoutMs ?? DIAL_TIMEOUT_MS;
      const timer = setTimeout(() => {
        finish(new PeerFault("timeout", `no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      const onAbort = (): void => {
        finish(new PeerFault("closed", "stopped"));
      };
      const onError = (error: Error): void => finish(peerFault(error));
      const finish = (fault?: PeerFault): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener("abort", onAbort);
        if (fault === undefined) {
          socket.off("error", onError);
          resolve(new TcpStream(socket, this.#loadSendFile));
        } else {
          socket.on("error", () => undefined);
          socket.destroy();
          reject(fault);
        }
      };
      options.signal?.addEventListener("abort", onAbort);
      socket.once("error", onError);
      socket.once("connect", () => finish());
    });
  }
}

class TcpStream implements Stream {
  readonly remote: Address;
  readonly #socket: net.Socket;
  readonly #loadSendFile: () => Promise<SendFile | undefined>;
  #isClosed = false;
  #waiting: (() => void)[] = [];

  constructor(socket: net.Socket, load: () => Promise<SendFile | undefined>) {
    this.#socket = socket;
    this.#loadSendFile = load;
    this.remote = { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    socket.on("error", () => undefined); // "close" follows, and is what counts
    socket.on("close", () => this.#onClose());
    socket.on("drain", () => this.#wake());
  }

  listen(events: StreamEvents): void {
    this.#socket.on("data", (bytes: Uint8Array) => events.onBytes(bytes));
    this.#socket.on("drain", () => events.onDrain());
    this.#socket.on("end", () => this.#socket.end());
    if (this.#isClosed) events.onClose();
    else this.#socket.on("close", () => events.onClose());
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): boolean {
    return this.#isClosed || this.#socket.write(bytes);
  }

  async sendFile(file: DiskFile, position: number, length: number): Promise<void> {
    const native = await this.#loadSendFile();
    let at = position;
    const end = position + length;
    while (at < end && !this.#isClosed) {
      at += native === undefined ? 0 : this.#sendNow(native, file, at, end);
      if (at < end) at += await this.#copy(file, at, Math.min(end - at, COPY_BYTES));
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Sends as much as the socket takes while the pages are in memory; 0 where it cannot be used. */
  #sendNow(native: SendFile, file: DiskFile, position: number, end: number): number {
    const fileDescriptor = (file as { readonly descriptor?: number }).descriptor;
    let at = position;
    while (at < end && this.#socket.writableLength === 0 && fileDescriptor !== undefined) {
      const handle = (this.#socket as { readonly _handle?: { readonly fd?: number } })._handle;
      const length = Math.min(end - at, SEND_BYTES);
      if (handle?.fd === undefined || handle.fd < 0) break;
      if (!native.isResident(fileDescriptor, at, length)) break;
      const sent = native.send(handle.fd, fileDescriptor, at, length);
      if (sent === 0) break;
      at += sent;
    }
    return at - position;
  }

  /** Reads off the event loop, writes, and waits until the peer has taken it. */
  async #copy(file: DiskFile, position: number, length: number): Promise<number> {
    const bytes = await file.read(position, length);
    if (this.#isClosed) return length;
    if (bytes.length === 0) {
      this.#socket.destroy(); // the file is shorter than was promised to the peer
      return length;
    }
    if (!this.#socket.write(bytes)) await this.#drained();
    return bytes.length;
  }

  #drained(): Promise<void> {
    if (this.#isClosed || this.#socket.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #onClose(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const KIND_OF: Readonly<Record<string, PeerFault["kind"]>> = {
  EADDRINUSE: "in-use",
  EACCES: "not-permitted",
  EPERM: "not-permitted",
  EADDRNOTAVAIL: "not-found",
  ENOTFOUND: "not-found",
  EAI_AGAIN: "not-found",
  ECONNREFUSED: "refused",
  ETIMEDOUT: "timeout",
  ECONNRESET: "closed",
};

/** In words, where the system's name of the error would say it to programmers only. */
const WORDS_OF: Readonly<Record<string, string>> = {
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name of the host cannot be looked up now",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  EMFILE: "too many open files",
};

/** Without the address: who asked for it names it. */
function peerFault(error: Error): PeerFault {
  const code = (error as { readonly code?: string }).code ?? "";
  return new PeerFault(KIND_OF[code] ?? "io", WORDS_OF[code] ?? (code || error.message));
}
