/**
 * The network between nodes on one machine: a TCP proxy in front of each node, with a switch for every
 * directed link.
 *
 *     await using links = new Links();
 *     const port = await links.open(1);      // what the others are told of node 1
 *     links.onStart(1, { port: 9092, pid }); // where it listens in its present life, and who it is
 *     links.cut(2, 1);                       // nothing more gets from node 2 to node 1
 *     links.heal();
 *
 * Who has dialled is asked of the system (the process at the other end of the socket), so that nodes
 * need no addresses of their own for each peer, and the proxy knows nothing of what it carries. A cut
 * link is silent: bytes, ends and new connections wait, as with a network that drops packets; `break`
 * resets connections. Not here: loss and reordering inside a connection, which TCP never shows.
 */
import net from "node:net";
import { socketOwner } from "./socket_owner.ts";

/** A node by its id, or anybody who is no node. */
export type Party = number | "client";

export interface Life {
  readonly port: number;
  readonly pid: number;
}

export class Links implements AsyncDisposable {
  readonly #servers = new Map<number, net.Server>();
  readonly #lives = new Map<number, Life>();
  readonly #gates = new Map<string, Gate>();
  readonly #tunnels = new Set<Tunnel>();
  #isOver = false;

  /** Opens the front of a node and gives its port. */
  async open(node: number): Promise<number> {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      void this.#carry(socket, node);
    });
    this.#servers.set(node, server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return (server.address() as net.AddressInfo).port;
  }

  onStart(node: number, life: Life): void {
    this.#lives.set(node, life);
  }

  /** Its process is gone; who dials it is refused. */
  onEnd(node: number): void {
    this.#lives.delete(node);
  }

  /** From now on nothing gets from one to the other; the way back stays as it is. */
  cut(source: Party, target: Party): void {
    this.#gate(source, target).isOpen = false;
  }

  /** Each piece takes so much longer. */
  delay(source: Party, target: Party, delayMs: number): void {
    this.#gate(source, target).delayMs = delayMs;
  }

  /** Opens every link; what has waited goes through. */
  heal(): void {
    for (const gate of this.#gates.values()) gate.open();
  }

  /** Resets the connections between two parties, whoever dialled. */
  break(one: Party, other: Party): void {
    for (const tunnel of this.#tunnels) {
      const isTheirs = tunnel.joins(one, other) || tunnel.joins(other, one);
      if (isTheirs) tunnel.destroy();
    }
  }

  /** How many connections go from one to the other. */
  count(source: Party, target: Party): number {
    return [...this.#tunnels].filter((tunnel) => tunnel.joins(source, target)).length;
  }

  /** How many pieces, ends and connections wait at a cut on their way from one to the other. */
  waiting(source: Party, target: Party): number {
    return this.#gate(source, target).waitingCount;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.heal();
    for (const tunnel of this.#tunnels) tunnel.destroy();
    await Promise.all(
      [...this.#servers.values()].map((server) =>
        new Promise<void>((resolve) => server.close(() => resolve()))
      ),
    );
  }

  async #carry(socket: net.Socket, target: number): Promise<void> {
    const source = this.#whoDialled(socket);
    const forth = this.#gate(source, target);
    const tunnel = new Tunnel(source, target, socket);
    this.#tunnels.add(tunnel);
    try {
      await forth.passed();
      const life = this.#lives.get(target);
      if (life === undefined || this.#isOver) return;
      await tunnel.run(life.port, forth, this.#gate(target, source));
    } finally {
      tunnel.destroy();
      this.#tunnels.delete(tunnel);
    }
  }

  #whoDialled(socket: net.Socket): Party {
    const pids = new Map([...this.#lives].map(([node, { pid }]) => [pid, node]));
    const pid = socketOwner(socket.remotePort ?? 0, socket.localPort ?? 0, pids.keys());
    return (pid === undefined ? undefined : pids.get(pid)) ?? "client";
  }

  #gate(source: Party, target: Party): Gate {
    const key = `${source}>${target}`;
    const gate = this.#gates.get(key) ?? new Gate();
    this.#gates.set(key, gate);
    return gate;
  }
}

/** One direction between two parties, for all their connections. */
class Gate {
  isOpen = true;
  delayMs = 0;
  readonly #waiting: (() => void)[] = [];

  get waitingCount(): number {
    return this.#waiting.length;
  }

  open(): void {
    this.isOpen = true;
    this.delayMs = 0;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  /** Resolves when a piece may go on. */
  async passed(): Promise<void> {
    const { delayMs } = this;
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    while (!this.isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** One connection through the front of a node. */
class Tunnel {
  readonly #source: Party;
  readonly #target: Party;
  readonly #near: net.Socket;
  #far: net.Socket | undefined;

  constructor(source: Party, target: Party, near: net.Socket) {
    this.#source = source;
    this.#target = target;
    this.#near = near;
    near.on("error", () => this.destroy());
  }

  joins(source: Party, target: Party): boolean {
    return this.#source === source && this.#target === target;
  }

  async run(port: number, forth: Gate, back: Gate): Promise<void> {
    const near = this.#near;
    const far = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.#far = far;
    far.on("error", () => this.destroy());
    await Promise.all([pump(near, far, forth), pump(far, near, back)]);
  }

  destroy(): void {
    this.#near.destroy();
    this.#far?.destroy();
  }
}

/** Until the source has ended and the target has all of it, or one of them is gone. */
function pump(source: net.Socket, target: net.Socket, gate: Gate): Promise<void> {
  return new Promise((resolve) => {
    let work = Promise.resolve();
    const inTurn = (action: () => void | Promise<void>): void => {
      work = work.then(() => gate.passed()).then(action);
    };
    source.on("data", (bytes: Uint8Array) => {
      source.pause();
      inTurn(async () => {
        await written(target, bytes);
        source.resume();
      });
    });
    source.on("end", () => inTurn(() => void target.end(resolve)));
    for (const socket of [source, target]) socket.on("close", () => resolve());
    source.resume();
  });
}

function written(target: net.Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (target.destroyed) resolve();
    else target.write(bytes, () => resolve());
  });
}
