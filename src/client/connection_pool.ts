/**
 * The connections of one client: by broker id once the cluster is known, by address until then.
 *
 * A broker has one for questions and records and one for Fetch, so that a long poll never delays
 * anything behind it (answers come in order); a member of a group has lanes of its own. Dialling is single-flight; a broker that could
 * not be reached is left alone for a moment that doubles, and that moment ends with the next success.
 */
import type { Env } from "../env/env.ts";
import type { Address } from "../env/network.ts";
import { addressText } from "./address.ts";
import { abortedError, ClientError } from "./client_error.ts";
import { Connection } from "./connection.ts";
import { backoffMs, sleep } from "./retry.ts";

/** What a connection is for; who waits long for answers has lanes of his own. */
export type Lane = "main" | "fetch" | `fetch ${string}` | `group ${string}`;

export interface ConnectionPoolOptions {
  readonly bootstrap: readonly Address[];
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly env: Env;
  readonly signal: AbortSignal;
}

interface Slot {
  readonly address: Address;
  connection?: Connection | undefined;
  opening?: Promise<Connection> | undefined;
  failureCount: number;
  /** Its lane was closed while it was being dialled. */
  isAbandoned?: boolean;
  /** By the monotonic clock: not dialled before. */
  notBeforeMs: number;
}

export class ConnectionPool {
  readonly #options: ConnectionPoolOptions;
  readonly #slots = new Map<string, Slot>(); // lane and address
  readonly #brokers = new Map<number, Address>();
  #bootstrapIndex = 0;
  #laneCount = 0;

  constructor(options: ConnectionPoolOptions) {
    this.#options = options;
  }

  /** Learns where the brokers are, from a metadata answer: these and no others. */
  setBrokers(brokers: ReadonlyMap<number, Address>): void {
    this.#brokers.clear();
    for (const [brokerId, address] of brokers) this.#brokers.set(brokerId, address);
  }

  /** Learns where one broker is, from a hint in an answer (KIP-951). */
  addBroker(brokerId: number, address: Address): void {
    this.#brokers.set(brokerId, address);
  }

  knows(brokerId: number): boolean {
    return this.#brokers.has(brokerId);
  }

  /** The open connection to a broker, or undefined where there is none at this moment. */
  opened(brokerId: number, lane: Lane = "main"): Connection | undefined {
    const address = this.#brokers.get(brokerId);
    const slot = address && this.#slots.get(keyOf(address, lane));
    return slot?.connection?.isOpen === true ? slot.connection : undefined;
  }

  /** A connection to a broker, dialled where there is none. Throws a `ClientError`. */
  broker(brokerId: number, lane: Lane = "main"): Promise<Connection> {
    const address = this.#brokers.get(brokerId);
    if (address === undefined) {
      const message = `Cannot connect to broker ${brokerId}: its address is not known`;
      return Promise.reject(new ClientError("UNREACHABLE", message, { retriable: true }));
    }
    return this.#connection(address, lane);
  }

  /**
   * A connection to any broker: an open one, else the first that can be reached of those that are
   * known and those given at the start. Throws a `ClientError` that names them all.
   */
  async any(): Promise<Connection> {
    const open = this.#leastBusy();
    if (open !== undefined) return open;
    const { bootstrap } = this.#options;
    const addresses = new Map<string, Address>();
    for (let count = 0; count < bootstrap.length; count++) {
      const address = bootstrap[(this.#bootstrapIndex + count) % bootstrap.length] as Address;
      addresses.set(addressText(address), address);
    }
    for (const address of this.#brokers.values()) addresses.set(addressText(address), address);
    const failures: string[] = [];
    for (const address of addresses.values()) {
      try {
        return await this.#connection(address, "main");
      } catch (thrown) {
        const error = thrown as ClientError;
        if (error.code === "ABORTED" || addresses.size === 1) throw error;
        failures.push(error.message);
        this.#bootstrapIndex++;
      }
    }
    throw new ClientError("UNREACHABLE", `Cannot reach any broker: ${failures.join("; ")}`, {
      retriable: true,
      hint: "Check that a broker runs and that the addresses are right",
    });
  }

  /** A name for lanes that nobody else has. */
  laneName(): string {
    return String(++this.#laneCount);
  }

  /** Ends the connections of one lane, to all brokers. */
  closeLane(lane: Lane): void {
    for (const [key, slot] of this.#slots) {
      if (!key.startsWith(`${lane}@`)) continue;
      this.#slots.delete(key);
      slot.isAbandoned = true;
      slot.connection?.close();
    }
  }

  /** Ends all connections. */
  close(): void {
    for (const slot of this.#slots.values()) slot.connection?.close();
    this.#slots.clear();
  }

  #leastBusy(): Connection | undefined {
    let best: Connection | undefined;
    for (const [key, { connection }] of this.#slots) {
      if (connection?.isOpen !== true || !key.startsWith("main@")) continue;
      if (best === undefined || connection.pendingCount < best.pendingCount) best = connection;
    }
    return best;
  }

  #connection(address: Address, lane: Lane): Promise<Connection> {
    if (this.#options.signal.aborted) return Promise.reject(abortedError("Cannot connect"));
    const key = keyOf(address, lane);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { address, failureCount: 0, notBeforeMs: 0 };
      this.#slots.set(key, slot);
    }
    if (slot.connection?.isOpen === true) return Promise.resolve(slot.connection);
    slot.opening ??= this.#open(slot);
    return slot.opening;
  }

  async #open(slot: Slot): Promise<Connection> {
    const { env, clientId, requestTimeoutMs, signal } = this.#options;
    const waitMs = slot.notBeforeMs - env.clock.monotonicMs();
    try {
      if (waitMs > 0) await sleep(env.clock, waitMs, signal);
      const connection = await Connection.open({
        address: slot.address,
        clientId,
        requestTimeoutMs,
        env,
        signal,
      });
      if (slot.isAbandoned === true) connection.close();
      slot.connection = connection;
      slot.failureCount = 0;
      return connection;
    } catch (thrown) {
      slot.failureCount++;
      slot.notBeforeMs = env.clock.monotonicMs() + backoffMs(slot.failureCount, env.random);
      throw thrown;
    } finally {
      slot.opening = undefined;
    }
  }
}

function keyOf(address: Address, lane: Lane): string {
  return `${lane}@${addressText(address)}`;
}
