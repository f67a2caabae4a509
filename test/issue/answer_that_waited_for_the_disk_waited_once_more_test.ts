/**
 * A turn of a connection was counted from its last request on, also where that had been waiting for a
 * disk since: every answer that took more than 4 ms lay for one more turn of the event loop, and so did
 * the requests behind it.
 */
import { describe, expect, test } from "bun:test";
import { ClientConnection } from "../../src/broker/connection.ts";
import { InflightBytes } from "../../src/broker/inflight.ts";
import type { EncodedReply, Reply } from "../../src/broker/reply_queue.ts";
import type { Stream, StreamEvents } from "../../src/env/network.ts";
import { BufferPool } from "../../src/ground/buffer_pool.ts";
import { ManualClock } from "../client/manual_clock.ts";

const DISK_MS = 20;

class Peer implements Stream {
  readonly remote = { host: "peer", port: 1 };
  readonly queuedBytes = 0;
  readonly written: number[] = [];
  pauses = 0;
  events: StreamEvents | undefined;

  listen(events: StreamEvents): void {
    this.events = events;
  }
  write(bytes: Uint8Array): boolean {
    this.written.push(...bytes);
    return true;
  }
  sendFile(): Promise<void> {
    return Promise.resolve();
  }
  pause(): void {
    this.pauses++;
  }
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

describe("an answer that waited for the disk", () => {
  test("leaves in the turn in which it is ready", async () => {
    const peer = new Peer();
    const clock = new ManualClock();
    const waiting: ((reply: Reply) => void)[] = [];
    const connection = new ClientConnection({
      scope: "all",
      remote: "client:1",
      stream: peer,
      clock,
      trace: { event: () => undefined },
      inflight: new InflightBytes(-1),
      pool: new BufferPool({ bytesMax: 1 << 20, isPoisoned: true }),
      frameBytesMax: 1000,
      requestsMax: 100,
      queuedBytesMax: 1000,
      dispatch: () => new Promise((resolve) => waiting.push(resolve)),
      onBadRequest: () => undefined,
      onClose: () => undefined,
    });
    peer.events?.onBytes(Uint8Array.of(0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 7));
    await clock.advance(DISK_MS);
    const answer: EncodedReply = { kind: "parts", parts: [Uint8Array.of(7)] };
    waiting[0]?.({ kind: "answer", encode: () => answer });
    await clock.settle(); // no timer fires
    expect(peer.written).toEqual([7]);
    expect(peer.pauses).toBe(0);
    expect(connection.isGoing).toBeFalse();
  });
});
