/**
 * One end of a connection.
 *
 *     write ─► own queue ─► system's buffer and the way ─► the other end's inbox ─► onBytes
 *              (queuedBytes)      (kernelBytes)               (while it is paused)
 *
 * What is read is cut and joined at will, and is a copy. The end of a life closes it as the system does
 * for a process that is gone, or leaves it hanging where the machine has no power. Longer than most: one
 * end of TCP, with all its exits.
 */
import type { DiskFile } from "../../../src/env/disk.ts";
import type { Address, Stream, StreamEvents } from "../../../src/env/network.ts";
import type { Life } from "../life.ts";
import type { SimNetwork } from "./sim_network.ts";

export interface StreamPlace {
  readonly life: Life;
  readonly host: string;
  readonly remote: Address;
  /** Of the connection. */
  readonly number: number;
}

/** What is on the way: bytes, or the end of them. */
type Parcel = Uint8Array | "end" | "reset";

const HIGH_BYTES = 64 * 1024;
const READ_BYTES = 64 * 1024;
const COPY_BYTES = 256 * 1024;
const RESEND_US_MAX = 400_000;

export class SimStream implements Stream {
  readonly remote: Address;
  readonly life: Life;
  readonly host: string;
  readonly number: number;
  queuedBytes = 0;
  readonly #network: SimNetwork;
  #peer: SimStream | undefined;
  #events: StreamEvents | undefined;
  #isPaused = false;
  #state: "open" | "ending" | "closed" | "gone" = "open";
  #isPeerEnded = false;
  /** Not taken by the system yet. */
  #queue: Uint8Array[] = [];
  #isDrainWanted = false;
  #waiting: (() => void)[] = [];
  /** Taken by the system and not read by the other end. */
  #kernelBytes = 0;
  #lastArrivalUs = 0;
  /** Kept by a way that is cut. */
  #kept: Parcel[] = [];
  /** Arrived and not read. */
  #inbox: Uint8Array[] = [];
  #isReadScheduled = false;

  constructor(network: SimNetwork, { life, host, remote, number }: StreamPlace) {
    this.#network = network;
    this.life = life;
    this.host = host;
    this.remote = remote;
    this.number = number;
  }

  join(peer: SimStream): void {
    this.#peer = peer;
  }

  get peer(): SimStream {
    return this.#peer as SimStream;
  }

  listen(events: StreamEvents): void {
    this.#events = events;
    if (this.#state === "closed") this.#tellClosed();
    else this.#scheduleRead();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== "open" || !this.life.isAlive) return true;
    if (bytes.length > 0) {
      this.#queue.push(bytes);
      this.queuedBytes += bytes.length;
      this.#fillKernel();
    }
    const keepsUp = this.queuedBytes < HIGH_BYTES;
    if (!keepsUp) this.#isDrainWanted = true;
    return keepsUp;
  }

  async sendFile(file: DiskFile, position: number, length: number): Promise<void> {
    let at = position;
    const end = position + length;
    while (at < end && this.#state === "open") {
      // deno-lint-ignore no-await-in-loop -- what is read is bounded
      const bytes = await file.read(at, Math.min(end - at, COPY_BYTES));
      if (this.#state !== "open") return;
      if (bytes.length === 0) return this.destroy();
      at += bytes.length;
      // deno-lint-ignore no-await-in-loop -- what is queued is bounded
      if (!this.write(bytes)) await this.#drained();
    }
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#scheduleRead();
  }

  end(): void {
    if (this.#state !== "open" || !this.life.isAlive) return;
    this.#state = "ending";
    this.#maybeEnd();
  }

  destroy(): void {
    if (this.#state === "closed" || this.#state === "gone" || !this.life.isAlive) return;
    this.#close(this.#inbox.length > 0 ? "reset" : "end");
  }

  /** The process is gone, or nobody ever took the stream. */
  abandon(): void {
    if (this.#state === "gone") return;
    const wasOpen = this.#state !== "closed";
    this.#state = "gone";
    this.#queue = [];
    this.#network.streams.delete(this);
    if (wasOpen && !this.#network.down.has(this.host)) {
      this.#send(this.#inbox.length > 0 ? "reset" : "end");
    }
  }

  /** Both ends hear of it, each in its time; what is on the way may be lost. */
  breakUp(): void {
    this.#receiveReset("cut");
    this.peer.#receiveReset("cut");
  }

  /** Sends again what a cut way kept. */
  resend(): void {
    if (this.#kept.length === 0 || this.#isWayCut()) return;
    const delayUs = this.#network.chance.below(RESEND_US_MAX);
    const parcels = this.#kept;
    this.#kept = [];
    for (const parcel of parcels) this.#send(parcel, delayUs);
  }

  #fillKernel(): void {
    const { kernelBytes } = this.#network.options;
    while (this.#queue.length > 0 && this.#kernelBytes < kernelBytes) {
      const room = kernelBytes - this.#kernelBytes;
      let bytes = this.#queue[0] as Uint8Array;
      if (bytes.length > room) {
        this.#queue[0] = bytes.subarray(room);
        bytes = bytes.subarray(0, room);
      } else this.#queue.shift();
      this.queuedBytes -= bytes.length;
      this.#kernelBytes += bytes.length;
      this.#send(bytes);
    }
  }

  #send(parcel: Parcel, extraUs = 0): void {
    const { scheduler } = this.#network;
    const bytes = typeof parcel === "string" ? 0 : parcel.length;
    const delayUs = this.#network.delayUs(this.host, this.peer.host, bytes) + extraUs;
    const atUs = Math.max(scheduler.nowUs + delayUs, this.#lastArrivalUs);
    this.#lastArrivalUs = atUs;
    const label = typeof parcel === "string" ? `net-${parcel}` : "net-bytes";
    const arrive = (): void => this.#arrive(parcel);
    const { life } = this.peer;
    scheduler.after(
      atUs - scheduler.nowUs,
      { life, label, detail: this.number, onDead: arrive },
      arrive,
    );
  }

  /** At the other end. */
  #arrive(parcel: Parcel): void {
    const network = this.#network;
    if (this.#kept.length > 0 || this.#isWayCut()) {
      this.#keep(parcel);
      return;
    }
    const { peer } = this;
    if (peer.#state === "gone" || peer.#state === "closed") {
      // The system does not know the connection any more.
      if (parcel !== "reset" && this.#state !== "closed") this.#receiveReset("answer");
      return;
    }
    if (parcel === "reset") peer.#close(undefined);
    else if (parcel === "end") {
      peer.#isPeerEnded = true;
      peer.#scheduleRead();
    } else {
      network.scheduler.hash.bytes(parcel);
      peer.#inbox.push(parcel);
      peer.#read();
    }
  }

  #isWayCut(): boolean {
    return this.#network.isCut(this.host, this.peer.host);
  }

  #keep(parcel: Parcel): void {
    const { scheduler, options } = this.#network;
    this.#kept.push(parcel);
    if (this.#kept.length > 1 || this.#state === "gone") return;
    scheduler.after(options.giveUpUs, { life: this.life, label: "net-give-up" }, () => {
      if (this.#kept.length > 0) this.#close(undefined);
    });
  }

  #receiveReset(why: "cut" | "answer"): void {
    const { scheduler, chance } = this.#network;
    const delayUs = this.#network.delayUs(this.peer.host, this.host, 0);
    scheduler.after(delayUs, { life: this.life, label: `net-reset-${why}` }, () => {
      if (this.#state === "closed" || this.#state === "gone") return;
      // Half of a chunk may have been read before.
      const first = this.#inbox[0];
      if (why === "cut" && first !== undefined && !this.#isPaused && this.#events !== undefined) {
        this.#events.onBytes(first.slice(0, chance.below(first.length + 1)));
      }
      this.#close(undefined);
    });
  }

  #scheduleRead(): void {
    if (this.#isReadScheduled || this.#state === "closed") return;
    if (this.#inbox.length === 0 && !this.#isPeerEnded) return;
    this.#isReadScheduled = true;
    this.#network.scheduler.after(1, { life: this.life, label: "net-read" }, () => {
      this.#isReadScheduled = false;
      this.#read();
    });
  }

  #read(): void {
    if (this.#isPaused || this.#events === undefined) return;
    if (this.#state === "closed" || this.#state === "gone") return;
    if (this.#inbox.length > 0) {
      const bytes = this.#takeSome();
      this.peer.#onRead(bytes.length);
      this.#events.onBytes(bytes);
    }
    if (this.#inbox.length > 0) this.#scheduleRead();
    else if (this.#isPeerEnded) this.#onPeerEnded();
  }

  /** All of the inbox up to a bound, or a piece of it; always a copy. */
  #takeSome(): Uint8Array {
    const { chance, options } = this.#network;
    let length = 0;
    for (const chunk of this.#inbox) length += chunk.length;
    length = Math.min(length, READ_BYTES);
    const isSplit = options.splitOneIn > 0 && length > 1 && chance.below(options.splitOneIn) === 0;
    if (isSplit) length = 1 + chance.below(length - 1);
    const taken = this.#network.room(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.#inbox[0] as Uint8Array;
      const room = length - filled;
      const part = chunk.length <= room ? chunk : chunk.subarray(0, room);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) this.#inbox.shift();
      else this.#inbox[0] = chunk.subarray(part.length);
    }
    return taken;
  }

  /** The other end has read so much of what this one sent. */
  #onRead(bytes: number): void {
    this.#kernelBytes -= bytes;
    if (this.#queue.length === 0) return;
    this.#network.scheduler.after(
      this.#network.delayUs(this.peer.host, this.host, 0),
      { life: this.life, label: "net-window" },
      () => this.#onWindow(),
    );
  }

  #onWindow(): void {
    if (this.#state === "closed" || this.#state === "gone") return;
    this.#fillKernel();
    this.#maybeEnd();
    if (this.#queue.length > 0) return;
    this.#wake();
    if (!this.#isDrainWanted) return;
    this.#isDrainWanted = false;
    this.#events?.onDrain();
  }

  #maybeEnd(): void {
    if (this.#state !== "ending" || this.#queue.length > 0) return;
    this.#send("end");
    if (this.#isPeerEnded) this.#close(undefined);
  }

  #onPeerEnded(): void {
    if (this.#state === "open") this.end();
    else if (this.#state === "ending" && this.#queue.length === 0) this.#close(undefined);
  }

  #drained(): Promise<void> {
    if (this.#state !== "open" || this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #close(goodbye: "end" | "reset" | undefined): void {
    if (this.#state === "closed" || this.#state === "gone") return;
    if (goodbye !== undefined && this.#state === "open") this.#send(goodbye);
    this.#state = "closed";
    this.#queue = [];
    this.queuedBytes = 0;
    this.#inbox = [];
    this.#kept = [];
    this.#network.streams.delete(this);
    this.#tellClosed();
  }

  #tellClosed(): void {
    if (this.#events === undefined && this.#waiting.length === 0) return;
    this.#network.scheduler.after(0, { life: this.life, label: "net-closed" }, () => {
      this.#wake();
      const events = this.#events;
      this.#events = undefined;
      events?.onClose();
    });
  }
}
