/**
 * The other nodes of the cluster, as this one reaches them: Raft's messages one way, calls with answers.
 *
 * A node has up to five connections to another, one for each lane, so that neither a long poll, a
 * large piece of a snapshot, a request that is forwarded nor a look at records delays a heartbeat. Raft's messages of one turn leave in one frame; where a
 * peer does not keep up, or cannot be reached, they are dropped: Raft repeats what matters.
 *
 * A cut link shows neither error nor close, and TCP takes minutes to notice that it is whole again. So
 * a connection that carries one-way messages is asked for a sign of life (Hello) every two seconds, and
 * given up where none comes.
 *
 * Not here: who is to be asked (`controller_channel.ts`), the accepting side (`peer_session.ts`).
 */
import type { HelloRequest, HelloResponse } from "../../api/own/hello.ts";
import type { OwnApi } from "../../api/own/own_api.ts";
import { snapshotFetch } from "../../api/own/snapshot_fetch.ts";
import { ErrorCode, errorName } from "../../api/error_code.ts";
import type { Env } from "../../env/env.ts";
import type { Address } from "../../env/network.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import type { ReplicaKey, Voter } from "../../raft/configuration.ts";
import type { SnapshotId } from "../../raft/entry.ts";
import type { Message } from "../../raft/message.ts";
import type { RaftTransport, SnapshotChunk } from "../quorum/raft_transport.ts";
import { CallFault } from "./call_fault.ts";
import { PeerLink, type PeerLinkOptions } from "./peer_link.ts";
import { RaftLane } from "./raft_lane.ts";
import type { PeerRefusals } from "./refusals.ts";

export interface PeersOptions {
  readonly env: Pick<Env, "clock" | "network" | "random" | "crc32c">;
  readonly self: ReplicaKey;
  readonly clusterId: string;
  readonly release: string;
  readonly roles: readonly string[];
  /** What this node can work with. */
  readonly features?: HelloRequest["features"];
  readonly refusals: PeerRefusals;
  /** Where a node takes peers; undefined where that is not known. */
  addressOf(nodeId: number): Address | undefined;
  /** Where this node takes peers; left out where it does not know. */
  ownAddress?(): Address | undefined;
  /** Who leads, as another node has told. */
  onLeader?(leaderId: number | undefined, term: number): void;
  /** 16 MiB where left out: `mq.peer.request.max.bytes`. */
  readonly frameBytesMax?: number;
  /** 2 s where left out. */
  readonly dialTimeoutMs?: number;
}

export interface CallOptions {
  readonly timeoutMs: number;
}

export const PEER_FRAME_BYTES_MAX = 16 * 1024 * 1024;
const DIAL_TIMEOUT_MS = 2000;
const SNAPSHOT_PIECE_BYTES = 1024 * 1024;
const SNAPSHOT_TIMEOUT_MS = 10_000;
/** An answer to Hello has a tenth of it. */
const GREETING_BYTES_MAX = 64 * 1024;
/** Voters are fifteen at most; the others are those that were removed, and strangers. */
const RAFT_LANES_MAX = 64;

export class Peers implements RaftTransport {
  readonly #options: PeersOptions;
  /** By lane and node id, or lane and address. */
  readonly #links = new Map<string, PeerLink>();
  /** By node id and directory id, the one used longest ago first. */
  readonly #raftLanes = new Map<string, RaftLane>();
  /** Who was found at the addresses that `callAt` was given. */
  readonly #found = new Map<number, Address>();
  /** By lanes that are closed. */
  #droppedBefore = 0;
  #isClosed = false;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** Raft messages that were dropped: the peer could not be reached, or did not keep up. */
  get droppedCount(): number {
    let count = this.#droppedBefore;
    for (const { droppedCount } of this.#raftLanes.values()) count += droppedCount;
    return count;
  }

  /** Sends or drops. `onLost` is called later, never from within, where it is known not to have left. */
  send(to: Voter, message: Message, onLost?: () => void): void {
    if (this.#isClosed) return;
    const key = `${to.id} ${to.directoryId}`;
    const lane = this.#raftLanes.get(key) ?? this.#openRaftLane(to);
    this.#raftLanes.delete(key);
    this.#raftLanes.set(key, lane);
    if (this.#raftLanes.size > RAFT_LANES_MAX) this.#closeOldestLane();
    lane.address = to;
    lane.send(message, onLost);
  }

  /** Rejects with a `CallFault`. */
  call<Req, Res>(
    nodeId: number,
    api: OwnApi<Req, Res>,
    request: Req,
    { timeoutMs }: CallOptions,
  ): Promise<Res> {
    const link = this.#link(`${api.lane} ${nodeId}`, {
      name: `node ${nodeId}`,
      expected: { nodeId, directoryId: ZERO_UUID },
      address: () => this.#options.addressOf(nodeId) ?? this.#found.get(nodeId),
    });
    return this.#callOn(link, api, request, timeoutMs);
  }

  /** The same for a node of which only the address is known. */
  callAt<Req, Res>(
    address: Address,
    api: OwnApi<Req, Res>,
    request: Req,
    { timeoutMs }: CallOptions,
  ): Promise<Res> {
    const name = `${address.host}:${address.port}`;
    const link = this.#link(`${api.lane} @${name}`, {
      name,
      address: () => address,
      onHello: ({ nodeId }) => {
        this.#found.set(nodeId, address);
        this.onHeardFrom(nodeId);
      },
    });
    return this.#callOn(link, api, request, timeoutMs);
  }

  /** A piece of a snapshot, its CRC checked. Rejects with a `CallFault`. */
  async fetchSnapshot(
    from: Voter,
    snapshot: SnapshotId,
    position: number,
  ): Promise<SnapshotChunk> {
    const link = this.#link(`poll ${from.id} ${from.directoryId}`, {
      name: `node ${from.id}`,
      expected: { nodeId: from.id, directoryId: from.directoryId },
      address: () => from,
    });
    const request = { snapshot, position, bytesMax: SNAPSHOT_PIECE_BYTES };
    const response = await this.#callOn(link, snapshotFetch, request, SNAPSHOT_TIMEOUT_MS);
    const { errorCode, bytes, totalBytes, crc32c } = response;
    const what = `Cannot fetch snapshot ${snapshot.offset}-${snapshot.term} of node ${from.id}`;
    if (errorCode !== ErrorCode.None) {
      throw new CallFault("refused", `${what}: ${errorName(errorCode)}`, true);
    }
    if (this.#options.env.crc32c(bytes) !== crc32c) {
      const detail = `the piece at ${position} is not what its CRC says`;
      this.#options.refusals.add("corrupt", detail, { peer: `node ${from.id}` });
      throw new CallFault("io", `${what}: ${detail}`, true);
    }
    return { bytes, totalBytes, crc32c };
  }

  /** The node has said something on a connection of its own: whoever waits to dial it need not. */
  onHeardFrom(nodeId: number): void {
    for (const [key, link] of this.#links) if (key.split(" ")[1] === `${nodeId}`) link.retryNow();
    for (const lane of this.#raftLanes.values()) if (lane.nodeId === nodeId) lane.retryNow();
  }

  /** Ends all connections; calls under way reject. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#raftLanes.values()) lane.close();
    for (const link of this.#links.values()) link.close();
  }

  #callOn<Req, Res>(
    link: PeerLink,
    api: OwnApi<Req, Res>,
    request: Req,
    timeoutMs: number,
  ): Promise<Res> {
    return this.#isClosed
      ? Promise.reject(new CallFault("closed", `Cannot ask ${api.name}: stopped`, false))
      : link.call(api, request, timeoutMs);
  }

  #link(key: string, target: LinkTarget): PeerLink {
    let link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, link = new PeerLink(this.#linkOptions(target)));
    return link;
  }

  /** Whoever asks is answered, by whatever name it calls itself. */
  #closeOldestLane(): void {
    for (const [key, lane] of this.#raftLanes) {
      lane.close();
      this.#raftLanes.delete(key);
      this.#droppedBefore += lane.droppedCount;
      return;
    }
  }

  #openRaftLane(to: Voter): RaftLane {
    return new RaftLane({
      nodeId: to.id,
      address: to,
      clock: this.#options.env.clock,
      greeting: this.#greeting({ nodeId: to.id, directoryId: to.directoryId }),
      openLink: (address, { onOpen, onDown }) => {
        const target = {
          name: `node ${to.id}`,
          expected: { nodeId: to.id, directoryId: to.directoryId },
          address,
        };
        const frameBytesMax = GREETING_BYTES_MAX; // the other one says nothing else
        return new PeerLink({ ...this.#linkOptions(target), frameBytesMax, onOpen, onDown });
      },
      onHello: (response) => this.#onHello(response),
    });
  }

  #linkOptions({ name, expected, address, onHello }: LinkTarget): PeerLinkOptions {
    const { env, refusals, frameBytesMax, dialTimeoutMs } = this.#options;
    return {
      env,
      refusals,
      name,
      address,
      greeting: this.#greeting(expected),
      frameBytesMax: frameBytesMax ?? PEER_FRAME_BYTES_MAX,
      dialTimeoutMs: dialTimeoutMs ?? DIAL_TIMEOUT_MS,
      onHello: (response) => {
        onHello?.(response);
        this.#onHello(response);
      },
    };
  }

  #greeting(expected: HelloRequest["expected"]): HelloRequest {
    const { self, clusterId, release, roles, features } = this.#options;
    const address = this.#options.ownAddress?.();
    return {
      clusterId,
      nodeId: self.id,
      directoryId: self.directoryId,
      release,
      roles,
      ...(expected === undefined ? {} : { expected }),
      ...(address === undefined ? {} : { address }),
      ...(features === undefined ? {} : { features }),
    };
  }

  #onHello({ leaderId, term }: HelloResponse): void {
    this.#options.onLeader?.(leaderId, term);
  }
}

interface LinkTarget {
  readonly name: string;
  readonly expected?: HelloRequest["expected"];
  readonly address: () => Address | undefined;
  readonly onHello?: (response: HelloResponse) => void;
}
