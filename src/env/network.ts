/**
 * Streams of bytes between processes: plain TCP now, TLS later.
 *
 * A stream may split and join what was written in any way. Back-pressure is explicit: `write` tells
 * whether the peer keeps up, `pause` stops reading.
 */
import type { DiskFile } from "./disk.ts";

/** A peer that cannot be reached or has gone. Its connection catches it. */
export class PeerFault extends Error {
  override readonly name = "PeerFault";
  readonly kind: "refused" | "not-found" | "timeout" | "in-use" | "not-permitted" | "closed" | "io";
  constructor(kind: PeerFault["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Network {
  /** Streams that the system lets be open at once, with room left for files. */
  readonly streamsMax: number;
  /** Port 0 takes a free one. Throws a `PeerFault` ("in-use", "not-permitted", "not-found"). */
  listen(address: Address, onStream: (stream: Stream) => void): Promise<Listener>;
  /** Throws a `PeerFault`. */
  dial(address: Address, options?: DialOptions): Promise<Stream>;
}

export interface DialOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Listener {
  /** What is really bound. */
  readonly address: Address;
  /** Takes no more streams; those there are stay. */
  close(): Promise<void>;
}

export interface StreamEvents {
  /** The bytes are the receiver's to keep. */
  onBytes(bytes: Uint8Array): void;
  /** All that was written has left for the system, after a `write` that gave false. */
  onDrain(): void;
  /** Once, last: the peer closed, reset, or `destroy` was called. */
  onClose(): void;
}

export interface Stream {
  readonly remote: Address;
  /** Sets who hears of the stream; before that nothing is read. */
  listen(events: StreamEvents): void;
  /** Queues the bytes, which the stream then owns; false where the peer does not keep up. */
  write(bytes: Uint8Array): boolean;
  /**
   * Sends a range of a file behind what was written, without copying where the system can, and never
   * blocking on a cold disk. Nothing else may be written until it is done. Throws a `DiskFault`;
   * a stream that is closed meanwhile ends it silently.
   */
  sendFile(file: DiskFile, position: number, length: number): Promise<void>;
  /** Bytes written that have not left. */
  readonly queuedBytes: number;
  pause(): void;
  resume(): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}
