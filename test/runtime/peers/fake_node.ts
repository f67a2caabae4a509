/**
 * A node as far as its peers can tell: accepts connections, runs a `PeerSession` on each, and answers in
 * the order of the requests. Over the network in memory, on a clock that the test moves.
 */
import type { OwnApi } from "../../../src/api/own/own_api.ts";
import type { Env } from "../../../src/env/env.ts";
import type { Address, Stream } from "../../../src/env/network.ts";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { uuidFromBytes } from "../../../src/ground/uuid.ts";
import type { ReplicaKey, Voter } from "../../../src/raft/configuration.ts";
import type { Message } from "../../../src/raft/message.ts";
import {
  type OwnHandler,
  ownHandler,
  type PeerIdentity,
  type PeerReply,
  type PeerServices,
  PeerSession,
} from "../../../src/runtime/peers/peer_session.ts";
import { Peers, type PeersOptions } from "../../../src/runtime/peers/peers.ts";
import { PeerRefusals } from "../../../src/runtime/peers/refusals.ts";
import { FrameSplitter } from "../../../src/wire/frame.ts";
import { ManualClock } from "../../client/manual_clock.ts";
import { MemoryNetwork } from "../../client/memory_network.ts";

export const CLUSTER = "cluster-of-the-test";

export function keyOf(id: number): ReplicaKey {
  return { id, directoryId: uuidFromBytes(new Uint8Array(16).fill(id)) };
}

export function addressOf(id: number): Address {
  return { host: "node", port: 9000 + id };
}

export function voterOf(id: number): Voter {
  return { ...keyOf(id), ...addressOf(id) };
}

export class World {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork();
  readonly events: string[] = [];
  readonly env: Pick<Env, "clock" | "network" | "random" | "crc32c" | "trace"> = {
    clock: this.clock,
    network: this.network,
    random: new Prng(7),
    crc32c: crc32cTables,
    trace: { event: (level, message) => void this.events.push(`${level} ${message}`) },
  };
}

export class FakeNode {
  readonly key: ReplicaKey;
  readonly refusals: PeerRefusals;
  readonly received: Message[] = [];
  readonly greeted: PeerIdentity[] = [];
  readonly sessions: PeerSession[] = [];
  /** Why connections were closed. */
  readonly closed: string[] = [];
  readonly handlers = new Map<number, OwnHandler>();
  /** Reads nothing and says nothing, like one that is paused or cut off. */
  isDeaf = false;
  frames = 0;
  leader: { leaderId?: number; term: number } = { term: 0 };
  readonly services: PeerServices;
  readonly #world: World;
  readonly #streams = new Set<Stream>();

  constructor(world: World, id: number, changes: Partial<PeerServices> = {}) {
    this.key = keyOf(id);
    this.#world = world;
    this.refusals = new PeerRefusals(world.env);
    this.services = {
      self: this.key,
      clusterId: CLUSTER,
      crc32c: crc32cTables,
      refusals: this.refusals,
      frameBytesMax: 1 << 20,
      handlers: this.handlers,
      leader: () => this.leader,
      onRaftMessage: (message) => void this.received.push(message),
      onHello: (peer) => void this.greeted.push(peer),
      ...changes,
    };
  }

  async listen(port = this.key.id): Promise<() => Promise<void>> {
    const listener = await this.#world.network.listen(addressOf(port), (stream) => {
      this.#serve(stream);
    });
    return () => listener.close();
  }

  serve<Req, Res>(api: OwnApi<Req, Res>, handle: (request: Req) => Res | Promise<Res>): void {
    this.handlers.set(api.key, ownHandler(api, handle));
  }

  drop(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  get connectionCount(): number {
    return this.#streams.size;
  }

  /** To whoever is connected. */
  say(bytes: Uint8Array): void {
    for (const stream of this.#streams) stream.write(bytes);
  }

  #serve(stream: Stream): void {
    this.#streams.add(stream);
    const session = new PeerSession(this.services, "test");
    this.sessions.push(session);
    let before = Promise.resolve();
    const give = (reply: PeerReply): void => {
      if (reply.kind === "parts") { for (const part of reply.parts) stream.write(part); }
      if (reply.kind !== "close") return;
      this.closed.push(reply.reason);
      stream.end();
    };
    const splitter = new FrameSplitter({
      frameBytesMax: 1 << 24,
      onFrame: (frame) => {
        this.frames++;
        const reply = session.onFrame(frame);
        frame.fill(0xee); // frames are lent
        before = before.then(async () => give(await reply));
      },
    });
    stream.listen({
      onBytes: (bytes) => {
        if (this.isDeaf) return;
        if (splitter.push(bytes) !== undefined) stream.destroy();
      },
      onDrain: () => undefined,
      onClose: () => void this.#streams.delete(stream),
    });
  }
}

/** How one node reaches the others. */
export function peersOf(
  world: World,
  id: number,
  changes: Partial<PeersOptions> = {},
): { readonly peers: Peers; readonly refusals: PeerRefusals; readonly heard: string[] } {
  const refusals = new PeerRefusals(world.env);
  const heard: string[] = [];
  const peers = new Peers({
    env: world.env,
    self: keyOf(id),
    clusterId: CLUSTER,
    release: "test",
    roles: ["broker", "controller"],
    refusals,
    addressOf,
    onLeader: (leaderId, term) => void heard.push(`${leaderId} in ${term}`),
    ...changes,
  });
  return { peers, refusals, heard };
}
