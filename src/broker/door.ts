/**
 * The broker's door: takes connections, counts them, closes those that idle, ends them all.
 */
import type { BufferPool } from "../ground/buffer_pool.ts";
import type { Env } from "../env/env.ts";
import { type Address, type Listener, PeerFault, type Stream } from "../env/network.ts";
import type { Timer } from "../env/clock.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";
import { formatAddress } from "./addresses.ts";
import type { ConnectionScope } from "./broker_context.ts";
import { BrokerFault } from "./broker_fault.ts";
import type { BrokerMetrics } from "./broker_metrics.ts";
import { ClientConnection, type ConnectionOptions } from "./connection.ts";
import { InflightBytes } from "./inflight.ts";

export interface DoorOptions {
  readonly env: Env;
  readonly settings: BrokerSettings;
  readonly metrics: BrokerMetrics;
  readonly pool: BufferPool;
  readonly dispatch: ConnectionOptions["dispatch"];
}

/** An address to listen on, and who may come there. */
export interface ScopedListener {
  readonly address: Address;
  readonly scope: ConnectionScope;
}

const IDLE_CHECK_MS_MAX = 60_000;
const STOP_CHECK_MS = 10;

export class Door {
  readonly #options: DoorOptions;
  readonly #connections = new Set<ClientConnection>();
  readonly #inflight: InflightBytes;
  readonly #listeners: Listener[] = [];
  #idleTimer: Timer | undefined;
  #isClosing = false;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#inflight = new InflightBytes(options.settings.get("queued.max.request.bytes"));
  }

  /** What was really bound, in the order of `listeners`. Throws a `BrokerFault`. */
  async open(listeners: readonly ScopedListener[]): Promise<readonly Address[]> {
    for (const { address, scope } of listeners) {
      try {
        // deno-lint-ignore no-await-in-loop -- the first one that cannot be had is told
        const listener = await this.#options.env.network.listen(address, (stream) => {
          this.#onStream(stream, scope);
        });
        this.#listeners.push(listener);
      } catch (error) {
        if (error instanceof PeerFault) throw listenFault(error, address);
        throw error;
      }
    }
    this.#checkIdle();
    return this.#listeners.map((listener) => listener.address);
  }

  /**
   * Takes no more connections, lets requests under way finish, and waits `timeoutMs` at most. Clients
   * first: what was decided elsewhere for one of them comes by a connection of another node.
   */
  async close(timeoutMs: number): Promise<void> {
    const deadlineMs = this.#options.env.clock.monotonicMs() + timeoutMs;
    this.#isClosing = true;
    this.#idleTimer?.cancel();
    const closed = this.#listeners.map((listener) => listener.close());
    await this.#endAll(deadlineMs, ({ peerSession }) => peerSession === undefined);
    await this.#endAll(deadlineMs, () => true);
    this.destroy();
    await Promise.all(closed);
  }

  async #endAll(deadlineMs: number, isMeant: (one: ClientConnection) => boolean): Promise<void> {
    const { clock } = this.#options.env;
    for (const connection of this.#connections) {
      if (isMeant(connection)) connection.endGracefully();
    }
    while ([...this.#connections].some(isMeant) && clock.monotonicMs() < deadlineMs) {
      // deno-lint-ignore no-await-in-loop -- until the last one is gone
      await new Promise<void>((resolve) => clock.after(STOP_CHECK_MS, resolve));
    }
  }

  /** Ends everything at once. */
  destroy(): void {
    this.#isClosing = true;
    this.#idleTimer?.cancel();
    for (const listener of this.#listeners) void listener.close();
    for (const connection of [...this.#connections]) connection.destroy();
  }

  #onStream(stream: Stream, scope: ConnectionScope): void {
    const { env, settings, metrics, pool, dispatch } = this.#options;
    const remote = formatAddress(stream.remote);
    if (this.#isClosing || this.#connections.size >= this.#connectionsMax()) {
      metrics.refusedConnections.add(1);
      if (!this.#isClosing) {
        env.trace.event("warn", "connection refused: there are too many", { remote });
      }
      stream.destroy();
      return;
    }
    const connection: ClientConnection = new ClientConnection({
      stream,
      scope,
      remote,
      clock: env.clock,
      trace: env.trace,
      inflight: this.#inflight,
      pool,
      frameBytesMax: settings.get("socket.request.max.bytes"),
      requestsMax: settings.get("mq.connection.requests.max"),
      queuedBytesMax: settings.get("mq.connection.queued.bytes.max"),
      dispatch: (frame, of) => {
        metrics.queuedRequestBytes = this.#inflight.bytes;
        return dispatch(frame, of);
      },
      onBadRequest: (reason) => {
        metrics.badRequests.add(1);
        if (reason !== "") env.trace.event("warn", "connection closed", { remote, reason });
      },
      onClose: () => {
        this.#connections.delete(connection);
        metrics.connectionCount = this.#connections.size;
        metrics.queuedRequestBytes = this.#inflight.bytes;
      },
    });
    this.#connections.add(connection);
    metrics.connectionCount = this.#connections.size;
  }

  /** What the system allows counts as well: a refused connection is better than none that is heard. */
  #connectionsMax(): number {
    const { env, settings } = this.#options;
    return Math.min(settings.get("max.connections"), env.network.streamsMax);
  }

  #checkIdle(): void {
    const { env: { clock }, settings } = this.#options;
    const idleMsMax = settings.get("connections.max.idle.ms");
    if (idleMsMax === -1) return;
    this.#idleTimer = clock.after(Math.min(idleMsMax, IDLE_CHECK_MS_MAX), () => {
      const oldestMs = clock.monotonicMs() - idleMsMax;
      for (const connection of [...this.#connections]) {
        if (connection.lastActiveMs < oldestMs) connection.destroy();
      }
      this.#checkIdle();
    });
  }
}

export function listenFault(fault: PeerFault, address: Address): BrokerFault {
  const where = formatAddress(address);
  switch (fault.kind) {
    case "in-use":
      return new BrokerFault(
        "IN_USE",
        `Cannot listen on ${where}: another program has the port`,
        "choose another port, or port 0 for any free one",
      );
    case "not-permitted":
      return new BrokerFault(
        "NOT_PERMITTED",
        `Cannot listen on ${where}: not permitted`,
        "choose a port from 1024 on",
      );
    case "not-found":
      return new BrokerFault(
        "NOT_FOUND",
        `Cannot listen on ${where}: this machine has no such address`,
        "use an address of this machine, or 127.0.0.1",
      );
    default:
      return new BrokerFault(
        "IO",
        `Cannot listen on ${where}: ${fault.message}`,
        "check the address",
      );
  }
}
