/**
 * The network between the machines of a world: links, listeners, and the streams that are open.
 *
 * It behaves as TCP does: bytes of a stream arrive in order or not at all; what a cut link keeps is sent
 * again when it is whole, or the connection breaks after a while; a machine that is up answers for
 * connections that it does not know with a reset, and one that is down does not answer.
 */
import {
  type Address,
  type DialOptions,
  type Listener,
  type Network,
  PeerFault,
  type Stream,
} from "../../../src/env/network.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import type { Life } from "../life.ts";
import type { Scheduler } from "../scheduler.ts";
import { SimStream } from "./sim_stream.ts";

export interface NetworkOptions {
  readonly latencyUs: number;
  readonly jitterUs: number;
  readonly bytesPerUs: number;
  /** What the system takes of a stream before the program has to wait. */
  readonly kernelBytes: number;
  /** A chunk is read in pieces once in so many; 0 is never. */
  readonly splitOneIn: number;
  /** How long bytes may be on the way to nowhere before the connection is given up. */
  readonly giveUpUs: number;
}

interface Bound {
  readonly life: Life;
  readonly onStream: (stream: Stream) => void;
}

const DIAL_TIMEOUT_MS = 10_000;
const US_PER_MS = 1000;
const SLAB_BYTES = 64 * 1024;
const FIRST_FREE_PORT = 40_000;

export class SimNetwork {
  readonly scheduler: Scheduler;
  readonly options: NetworkOptions;
  readonly chance: Prng;
  readonly streams = new Set<SimStream>();
  /** Machines that are without power. */
  readonly down = new Set<string>();
  /** Machines that nobody reaches any more, whatever is healed. */
  readonly lost = new Set<string>();
  /** Addresses at which nobody answers for a while. */
  readonly refusing = new Set<string>();
  readonly #cut = new Set<string>();
  readonly #clogUs = new Map<string, number>();
  readonly #bound = new Map<string, Bound>();
  #nextPort = FIRST_FREE_PORT;
  #nextStream = 1;
  #slab = new ArrayBuffer(SLAB_BYTES);
  #slabAt = 0;

  constructor(scheduler: Scheduler, options: NetworkOptions, chance: Prng) {
    this.scheduler = scheduler;
    this.options = options;
    this.chance = chance;
  }

  /** The network as a program on a machine has it. */
  facade(life: Life, host: string): Network {
    life.onEnded(() => this.#onLifeEnded(life));
    return {
      streamsMax: 10_000,
      listen: (address, onStream) => this.#listen(life, address, onStream),
      dial: (address, options) => this.#dial({ life, host }, address, options ?? {}),
    };
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  clog(from: string, to: string, delayUs: number): void {
    this.#clogUs.set(`${from}>${to}`, delayUs);
  }

  isCut(from: string, to: string): boolean {
    if (this.lost.size > 0 && (this.lost.has(from) || this.lost.has(to))) return true;
    return this.#cut.size > 0 && this.#cut.has(`${from}>${to}`) || this.down.has(to);
  }

  heal(from: string, to: string): void {
    this.#cut.delete(`${from}>${to}`);
    this.#clogUs.delete(`${from}>${to}`);
    this.resend();
  }

  healAll(): void {
    this.#cut.clear();
    this.#clogUs.clear();
    this.refusing.clear();
    this.resend();
  }

  /** What was kept on the way starts anew where the way is free. */
  resend(): void {
    for (const stream of this.streams) stream.resend();
  }

  /**
   * Where bytes are put that a program reads. Views of small arrays that have a buffer of their own cost
   * a multiple, because the runtime makes that buffer only then.
   */
  room(bytes: number): Uint8Array {
    if (bytes > SLAB_BYTES / 4) return new Uint8Array(bytes);
    if (this.#slabAt + bytes > SLAB_BYTES) {
      this.#slab = new ArrayBuffer(SLAB_BYTES);
      this.#slabAt = 0;
    }
    const room = new Uint8Array(this.#slab, this.#slabAt, bytes);
    this.#slabAt += bytes;
    return room;
  }

  delayUs(from: string, to: string, bytes: number): number {
    const { latencyUs, jitterUs, bytesPerUs } = this.options;
    const clogUs = this.#clogUs.size === 0 ? 0 : this.#clogUs.get(`${from}>${to}`) ?? 0;
    const jitter = jitterUs === 0 ? 0 : this.chance.below(jitterUs);
    return latencyUs + jitter + clogUs + bytes / bytesPerUs;
  }

  #listen(
    life: Life,
    address: Address,
    onStream: (stream: Stream) => void,
  ): Promise<Listener> {
    const port = address.port === 0 ? this.#nextPort++ : address.port;
    const key = `${address.host}:${port}`;
    if (this.#bound.get(key)?.life.isAlive === true) {
      return Promise.reject(new PeerFault("in-use", "the address is in use"));
    }
    const bound: Bound = { life, onStream };
    this.#bound.set(key, bound);
    return Promise.resolve({
      address: { host: address.host, port },
      close: () => {
        if (this.#bound.get(key) === bound) this.#bound.delete(key);
        return Promise.resolve();
      },
    });
  }

  #dial(
    { life, host }: { readonly life: Life; readonly host: string },
    address: Address,
    options: DialOptions,
  ): Promise<Stream> {
    return new Promise((resolve, reject) => {
      let isSettled = false;
      const fail = (kind: PeerFault["kind"], message: string): void => {
        if (isSettled || !life.isAlive) return;
        isSettled = true;
        options.signal?.removeEventListener("abort", onAbort);
        reject(new PeerFault(kind, message));
      };
      const onAbort = (): void => fail("closed", "stopped");
      if (options.signal?.aborted === true) return fail("closed", "stopped");
      options.signal?.addEventListener("abort", onAbort);
      const timeoutMs = options.timeoutMs ?? DIAL_TIMEOUT_MS;
      const timer = this.scheduler.after(
        timeoutMs * US_PER_MS,
        { life, label: "dial-timeout" },
        () => {
          fail("timeout", `no answer within ${timeoutMs} ms`);
        },
      );
      const there = address.host;
      const hello = { label: "dial", detail: address.port };
      this.scheduler.after(this.delayUs(host, there, 0), hello, () => {
        if (this.isCut(host, there) || this.isCut(there, host)) return;
        const key = `${there}:${address.port}`;
        const bound = this.#bound.get(key);
        const backUs = this.delayUs(there, host, 0);
        if (bound === undefined || !bound.life.isAlive || this.refusing.has(key)) {
          this.scheduler.after(backUs, { life, label: "refused" }, () => {
            this.scheduler.cancel(timer);
            fail("refused", "connection refused");
          });
          return;
        }
        const near = this.#connect({ life, host }, address, bound);
        this.scheduler.after(
          backUs,
          { life, label: "dialled", onDead: () => near.abandon() },
          () => {
            this.scheduler.cancel(timer);
            if (isSettled) {
              near.destroy();
              return;
            }
            isSettled = true;
            options.signal?.removeEventListener("abort", onAbort);
            resolve(near);
          },
        );
      });
    });
  }

  #connect(
    { life, host }: { readonly life: Life; readonly host: string },
    address: Address,
    bound: Bound,
  ): SimStream {
    const number = this.#nextStream++;
    const near = new SimStream(this, { life, host, remote: address, number });
    const remote = { host, port: FIRST_FREE_PORT + number % 20_000 };
    const far = new SimStream(this, { life: bound.life, host: address.host, remote, number });
    near.join(far);
    far.join(near);
    this.streams.add(near);
    this.streams.add(far);
    const accept = { life: bound.life, label: "accept", onDead: () => far.abandon() };
    this.scheduler.after(0, accept, () => bound.onStream(far));
    return near;
  }

  #onLifeEnded(life: Life): void {
    for (const stream of [...this.streams]) if (stream.life === life) stream.abandon();
  }
}
