/**
 * This node's place in its cluster: how it reaches the others, whether it votes, what it follows.
 *
 *     controller RaftNode ─► MetadataQuorum ─► image       Controller decides while it leads
 *       no voter (yet)     MetadataFollower ─► image       see `Observing`
 *     broker     MetadataFollower ─► image                 asks controllers by the channel
 *
 * A node that is the only voter has nobody to wait for: it leads before its partitions are opened, as
 * it did before there were clusters. Any other one must be reachable first, since it may be needed for
 * a leader to be elected: so its door opens before it knows anything, and its clients wait.
 * Not here: clients' requests, partitions, the order of a start (`broker.ts`). Longer than most: it is
 * where quorum, peers and controller meet.
 */
import { ErrorCode } from "../api/error_code.ts";
import { metadataFetch } from "../api/own/metadata_fetch.ts";
import type { OwnApi } from "../api/own/own_api.ts";
import { snapshotFetch } from "../api/own/snapshot_fetch.ts";
import {
  unreadOffsets,
  type UnreadOffsetsRequest,
  type UnreadOffsetsResponse,
} from "../api/own/unread_offsets.ts";
import { Controller } from "../controller/controller.ts";
import { DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import type { Address } from "../env/network.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { Uuid } from "../ground/uuid.ts";
import type { LogFault } from "../log/log_fault.ts";
import { supportedFeatures } from "../metadata/feature.ts";
import type { FeatureRange } from "../metadata/record.ts";
import type { Configuration, ReplicaKey } from "../raft/configuration.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";
import {
  type Candidate,
  type ControllerAnswer,
  ControllerChannel,
} from "../runtime/peers/controller_channel.ts";
import {
  type OwnHandler,
  ownHandler,
  type PeerIdentity,
  type PeerServices,
} from "../runtime/peers/peer_session.ts";
import { Peers } from "../runtime/peers/peers.ts";
import { refuseRaftMessage } from "../runtime/peers/raft_guard.ts";
import { PeerRefusals } from "../runtime/peers/refusals.ts";
import { MetadataFollower } from "../runtime/quorum/metadata_follower.ts";
import type { MetadataQuorum } from "../runtime/quorum/metadata_quorum.ts";
import { MetadataServer } from "../runtime/quorum/metadata_server.ts";
import type { OpenMetadata } from "../runtime/quorum/metadata_view.ts";
import { type MetadataCorrupt, NotController } from "../runtime/quorum/not_controller.ts";
import type { ObserverStatus } from "../runtime/quorum/observers.ts";
import type { RaftStorage } from "../runtime/quorum/raft_storage.ts";
import type { Decider, RaftAdmin } from "./broker_context.ts";
import type { NodePlan } from "./node_plan.ts";
import { Observing } from "./observing.ts";
import { compareVoters } from "./named_voters.ts";
import { openQuorum } from "./open_quorum.ts";
import { ownRequests } from "./own_requests.ts";
import { ToldNodes } from "./told_nodes.ts";
import { VoterChanges } from "./voter_changes.ts";

export interface ClusterNodeOptions {
  readonly env: Env;
  readonly settings: BrokerSettings;
  readonly plan: NodePlan;
  /** Of this release, as others are told. */
  readonly release: string;
  readonly incarnationId: Uuid;
  readonly clusterId: string;
  /** Of the directory with the metadata log; of a node without one, of its first directory. */
  readonly directoryId: Uuid;
  /** Where others reach this node, as far as settings say. */
  readonly address: Address;
  /** The same once the port is bound; undefined where it cannot be told. */
  ownAddress(): Address | undefined;
  /** Undefined on a node without the role of a controller. */
  readonly storage: RaftStorage | undefined;
  onDiskFault(fault: DiskFault): void;
  /** The node cannot go on: metadata is damaged, or of a later release. */
  onCorrupt(fault: MetadataCorrupt | LogFault): void;
  /** Another node leads the quorum under this one's id, and goes on doing so. */
  onDuplicate(): void;
  /** Somebody else leads the quorum now, or nobody, or this node. */
  onLeaderChange(): void;
  /** Answers a request that another node has forwarded; undefined while that is too early. */
  onForwarded(): ((frame: Uint8Array) => Promise<Uint8Array | undefined>) | undefined;
  /** What lies behind offsets in the partitions that are led here. */
  onUnread(nodeId: number, request: UnreadOffsetsRequest): Promise<UnreadOffsetsResponse>;
}

const CALL_TIMEOUT_MS = 15_000;
const POLL_SLACK_MS = 5000;
const UNREAD_TIMEOUT_MS = 5000;
/** A controller that follows asks the leader, which tells of it to whoever wants to add it. */
const OF_LEADER = { ...metadataFetch, askedOf: "leader" as const };
/** Who named a snapshot has it; asked of any controller, it would be asked of this very node as well. */
const SNAPSHOT_OF_LEADER = { ...snapshotFetch, askedOf: "leader" as const };
const NOT_HERE: Decider = {
  isLeader: false,
  propose: () => Promise.reject(new NotController(undefined, true)),
};

export class ClusterNode {
  readonly view: OpenMetadata;
  readonly decider: Decider;
  readonly channel: ControllerChannel;
  readonly controller: Controller | undefined;
  readonly raft: RaftAdmin | undefined;
  readonly services: PeerServices;
  readonly refusals: PeerRefusals;
  readonly #options: ClusterNodeOptions;
  readonly #peers: Peers;
  readonly #quorum: MetadataQuorum | undefined;
  readonly #follower: MetadataFollower | undefined;
  readonly #server: MetadataServer | undefined;
  readonly #observing: Observing | undefined;
  readonly #told = new ToldNodes();
  /** Terms in which this node has known a leader. */
  #electionCount = 0;
  #electedTerm = -1;
  #handlers: ReadonlyMap<number, OwnHandler>;
  #duplicateSinceMs: number | undefined;
  readonly #startedMs: number;

  /** Nothing is sent before `start`. */
  static async open(options: ClusterNodeOptions): Promise<ClusterNode> {
    const refusals = new PeerRefusals(options.env);
    const self = { id: options.plan.nodeId, directoryId: options.directoryId };
    const opened: { node?: ClusterNode } = {};
    const peers = new Peers({
      env: options.env,
      self,
      clusterId: options.clusterId,
      release: options.release,
      roles: options.settings.get("process.roles"),
      features: supportedFeatures(),
      refusals,
      addressOf: (nodeId) => opened.node?.addressOf(nodeId),
      ownAddress: () => options.ownAddress(),
      onLeader: (leaderId, term) => {
        if (opened.node !== undefined) opened.node.#hearLeader(leaderId, term);
      },
      frameBytesMax: options.settings.get("mq.peer.request.max.bytes"),
    });
    const { storage } = options;
    const addressOf = (nodeId: number): Address | undefined => opened.node?.addressOf(nodeId);
    const quorum = storage === undefined
      ? undefined
      : await openQuorum(options, { self, storage, peers, addressOf });
    if (quorum !== undefined && storage !== undefined) compareVoters(options, { storage, quorum });
    opened.node = new ClusterNode(options, { refusals, self, peers, quorum });
    return opened.node;
  }

  private constructor(
    options: ClusterNodeOptions,
    { refusals, self, peers, quorum }: {
      readonly refusals: PeerRefusals;
      readonly self: ReplicaKey;
      readonly peers: Peers;
      readonly quorum: MetadataQuorum | undefined;
    },
  ) {
    const { env, settings, plan } = options;
    this.#options = options;
    this.#startedMs = env.clock.monotonicMs();
    this.refusals = refusals;
    this.#peers = peers;
    this.#quorum = quorum;
    const ofEveryNode = ownHandler(unreadOffsets, (request, { nodeId }) => {
      return options.onUnread(nodeId, request);
    });
    this.#handlers = new Map([[unreadOffsets.key, ofEveryNode]]);
    this.channel = new ControllerChannel({
      env,
      peers,
      selfId: plan.nodeId,
      candidates: () => this.#candidates(),
      ...(quorum === undefined ? {} : { local: (api, request) => this.#callLocal(api, request) }),
      timeoutMs: CALL_TIMEOUT_MS,
    });
    if (quorum === undefined) {
      this.#follower = this.#newFollower(undefined);
      this.view = this.#follower;
      this.decider = NOT_HERE;
    } else {
      this.view = quorum;
      this.decider = quorum;
      this.controller = new Controller({
        nodeId: plan.nodeId,
        clusterId: options.clusterId,
        clock: env.clock,
        trace: env.trace,
        quorum,
        brokerValue: (synonym) => settings.text(synonym),
        sessionMs: settings.get("broker.session.timeout.ms"),
        isAlone: isAlone(quorum.node.status().configuration, self),
      });
      this.#server = new MetadataServer(quorum.node, { clock: env.clock });
      this.raft = new VoterChanges(quorum.node, env.clock);
      const ofControllers = ownRequests({
        controller: this.controller,
        quorum,
        server: this.#server,
        refusals,
        trace: env.trace,
        frameBytesMax: settings.get("mq.peer.request.max.bytes"),
        onForwarded: options.onForwarded,
      });
      this.#handlers = new Map([...this.#handlers, ...ofControllers]);
      this.#observing = new Observing({
        quorum,
        self,
        clock: env.clock,
        trace: env.trace,
        newFollower: () => this.#newFollower(quorum),
      });
      quorum.node.onSoftState(() => this.#onSoftState(quorum));
    }
    this.services = this.#peerServices(self);
  }

  /** Begins to vote, or to follow. */
  start(): void {
    this.#quorum?.node.start();
    this.#observing?.start();
    this.#follower?.start();
  }

  /** Resolves when the only voter leads; rejects with what keeps it from that. */
  whenLeading(): Promise<void> {
    return this.#quorum?.node.whenReady() ?? Promise.resolve();
  }

  /** Whether no other node votes: then there is nobody to wait for. */
  get isOnlyVoter(): boolean {
    if (this.#quorum === undefined) return false;
    const { configuration, self } = this.#quorum.node.status();
    return isAlone(configuration, self);
  }

  get isActiveController(): boolean {
    return this.#quorum?.isLeader === true;
  }

  get clusterId(): string {
    return this.#options.clusterId;
  }

  /** The offset at which the image has the record with this broker epoch. */
  offsetBehind(brokerEpoch: number): Offset {
    return toOffset(brokerEpoch + 1);
  }

  /** Why no metadata comes, for who waits for it. */
  whyBehind(): string {
    return this.leader() === undefined
      ? "no controller of the cluster can be reached, or none of them leads"
      : "the metadata log is not there yet";
  }

  leaderId(): number | undefined {
    return this.leader()?.id;
  }

  leader(): { readonly id: number; readonly term: number } | undefined {
    return this.#quorum?.leader() ?? this.#observing?.leader() ?? this.#follower?.leader();
  }

  featuresOf(nodeId: number): readonly FeatureRange[] | undefined {
    const broker = this.view.image.broker(nodeId);
    if (broker !== undefined && broker.features.length > 0) return broker.features;
    const told = this.#told.get(nodeId);
    if (told?.features !== undefined) return told.features;
    return told?.release === this.#options.release ? supportedFeatures() : undefined;
  }

  /** Active controllers that this node has known since its start. */
  get electionCount(): number {
    return this.#electionCount;
  }

  observers(): readonly ObserverStatus[] {
    return this.#server?.observers() ?? [];
  }

  /** The newest one of this voter's metadata log; undefined where there is none, or it cannot be read. */
  snapshot(): { readonly offset: Offset; readonly bytes: number } | undefined {
    const store = this.#quorum?.node.snapshotStore;
    const newest = store?.newest();
    if (store === undefined || newest === undefined) return undefined;
    try {
      const bytes = this.#options.env.disk.info(store.pathOf(newest))?.bytes;
      return bytes === undefined ? undefined : { offset: newest.offset, bytes };
    } catch (fault) {
      if (!(fault instanceof DiskFault)) throw fault;
      return undefined;
    }
  }

  /** Since this voter took a snapshot of the metadata, or began (kafka: SnapshotEmitterMetrics). */
  snapshotAgeMs(): number {
    const { clock } = this.#options.env;
    return clock.monotonicMs() - (this.#quorum?.node.snapshotTakenMs ?? this.#startedMs);
  }

  /** Where settings say that it is, then where the quorum, or the node itself do. */
  addressOf(nodeId: number): Address | undefined {
    const named = this.#options.plan.voters.find(({ id }) => id === nodeId);
    if (named !== undefined) return named;
    const { voters = [], learners = [] } = this.#configuration() ?? {};
    const known = [...voters, ...learners].find(({ id, port }) => id === nodeId && port > 0);
    return known ?? this.#told.get(nodeId)?.address ?? this.view.image.broker(nodeId);
  }

  /** Rejects with a `CallFault`. */
  askUnread(nodeId: number, request: UnreadOffsetsRequest): Promise<UnreadOffsetsResponse> {
    const timeoutMs = UNREAD_TIMEOUT_MS;
    return this.#peers.call(nodeId, unreadOffsets, request, { timeoutMs });
  }

  /** Hands the leadership of the quorum over, where there is somebody; waits so long at most. */
  handOver(timeoutMs: number): Promise<void> {
    const node = this.#quorum?.node;
    if (node === undefined || node.softState.role !== "leader") return Promise.resolve();
    if (node.transferLeadership() !== "started") return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.env.clock.after(timeoutMs, resolve);
      node.onSoftState(({ role }) => {
        if (role === "leader") return;
        timer.cancel();
        resolve();
      });
    });
  }

  /** Nothing is sent or answered any more; the metadata log is closed by whoever owns it. */
  stop(): void {
    this.controller?.stop();
    this.#observing?.stop();
    this.#server?.stop();
    this.channel.close();
    this.#peers.close();
  }

  #onSoftState(quorum: MetadataQuorum): void {
    const leader = quorum.leader();
    this.#hearLeader(leader?.id, quorum.node.softState.term);
    this.controller?.onLeaderChange();
    this.#countElection();
    this.#options.onLeaderChange();
  }

  #hearLeader(leaderId: number | undefined, term: number): void {
    this.channel.setLeader(leaderId, term);
    this.#confirmLeader(this.channel.leaderId);
  }

  /** Another node leads: who has said that this one does was only late, and no duplicate is about. */
  #confirmLeader(leaderId: number | undefined): void {
    if (leaderId === undefined || leaderId === this.#options.plan.nodeId) return;
    this.#duplicateSinceMs = undefined;
  }

  #countElection(): void {
    const { term = -1 } = this.leader() ?? {};
    if (term <= this.#electedTerm) return;
    this.#electedTerm = term;
    this.#electionCount++;
  }

  /** Who votes, as far as is known here. */
  #configuration(): Configuration | undefined {
    return this.#observing?.configuration() ?? this.#follower?.configuration;
  }

  /** One that feeds the image of this quorum, or one of its own. */
  #newFollower(quorum: MetadataQuorum | undefined): MetadataFollower {
    const { env, plan, incarnationId } = this.#options;
    const follower = new MetadataFollower({
      clock: env.clock,
      random: env.random,
      trace: env.trace,
      crc32c: env.crc32c,
      source: {
        fetch: async (request) => {
          const attemptTimeoutMs = request.waitMs + POLL_SLACK_MS;
          const options = { attemptTimeoutMs, timeoutMs: attemptTimeoutMs };
          const api = quorum === undefined ? metadataFetch : OF_LEADER;
          const answer = await this.channel.call(api, request, options);
          this.#confirmLeader(answer.leaderId);
          return answer;
        },
        fetchSnapshot: (request) => {
          return this.channel.call(
            quorum === undefined ? snapshotFetch : SNAPSHOT_OF_LEADER,
            request,
          );
        },
      },
      nodeId: plan.nodeId,
      incarnationId,
      ...(quorum === undefined ? {} : { state: quorum.state }),
      onCorrupt: (fault) => this.#options.onCorrupt(fault),
    });
    follower.onLeader(() => {
      const leader = follower.leader();
      if (leader !== undefined) this.#hearLeader(leader.id, leader.term);
      this.#countElection();
      this.#options.onLeaderChange();
    });
    return follower;
  }

  /** Whoever may be the active controller: voters by their ids, others by where they are said to be. */
  #candidates(): readonly Candidate[] {
    const { plan } = this.#options;
    const { voters = [] } = this.#configuration() ?? {};
    const ids = new Set([...voters, ...plan.voters].map(({ id }) => id));
    return [
      ...[...ids].map((nodeId) => ({ nodeId })),
      ...plan.bootstrap.map((address) => ({ address })),
    ];
  }

  #callLocal<Req, Res extends ControllerAnswer>(
    api: OwnApi<Req, Res>,
    request: Req,
  ): Promise<Res> {
    this.#watchDuplicate();
    const { plan, directoryId, release } = this.#options;
    const self: PeerIdentity = { nodeId: plan.nodeId, directoryId, release, roles: [] };
    const handler = this.#handlers.get(api.key);
    const answer: unknown = handler?.handle(request, self) ??
      { errorCode: ErrorCode.UnsupportedVersion };
    return Promise.resolve(answer as Res | Promise<Res>);
  }

  /**
   * Controllers say that this node leads, and it has no vote. Right after the loss of its disk they may
   * mean what ran here before; when a session has passed twice they mean another node.
   */
  #watchDuplicate(): void {
    const { env: { clock }, settings, plan: { nodeId }, onDuplicate } = this.#options;
    const isMeant = this.channel.leaderId === nodeId && !this.isActiveController &&
      this.#observing?.membership() === "none";
    if (!isMeant) return;
    const now = clock.monotonicMs();
    this.#duplicateSinceMs ??= now;
    const limitMs = 2 * settings.get("broker.session.timeout.ms");
    if (now - this.#duplicateSinceMs > limitMs) onDuplicate();
  }

  #peerServices(self: ReplicaKey): PeerServices {
    const { env, clusterId, settings } = this.#options;
    const quorum = this.#quorum;
    return {
      self,
      clusterId,
      crc32c: env.crc32c,
      refusals: this.refusals,
      frameBytesMax: settings.get("mq.peer.request.max.bytes"),
      handlers: this.#handlers,
      leader: () => {
        const leader = this.leader();
        return {
          term: leader?.term ?? 0,
          ...(leader === undefined ? {} : { leaderId: leader.id }),
        };
      },
      ...(quorum === undefined ? {} : {
        onRaftMessage: (message) => quorum.node.onMessage(message),
        refuseRaft: (message) => {
          const { node } = quorum;
          return refuseRaftMessage(message, node.softState, () => node.status().configuration);
        },
      }),
      onHello: (hello) => {
        this.#told.heard(hello.nodeId, hello);
        this.#peers.onHeardFrom(hello.nodeId);
      },
    };
  }
}

function isAlone({ voters, outgoing = [] }: Configuration, self: ReplicaKey): boolean {
  return [...voters, ...outgoing].every(({ id }) => id === self.id) && voters.length > 0;
}
