/** What handlers see of the broker they belong to: values and machines, no sockets, no bytes. */
import type { Api } from "../api/schema.ts";
import type { Env } from "../env/env.ts";
import type { Uuid } from "../ground/uuid.ts";
import type { Decision } from "../metadata/decision.ts";
import type { ClusterImage } from "../metadata/image.ts";
import type { FeatureRange } from "../metadata/record.ts";
import type { ChangeRefusal, VoterChange } from "../raft/voter_change.ts";
import type { RaftStatus } from "../raft/status.ts";
import type { GroupShard } from "../group/group_shard.ts";
import type { GroupCoordinator } from "../runtime/coordinator/coordinator.ts";
import type { AppendTools } from "../runtime/partition_append.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";
import type { ManagedLogs } from "../runtime/managed_logs.ts";
import type { PartitionTable } from "../runtime/partition_table.ts";
import type { ProducerIds } from "../runtime/producer_ids.ts";
import type { PeerSession } from "../runtime/peers/peer_session.ts";
import type { ObserverStatus } from "../runtime/quorum/observers.ts";
import type { Retention } from "../runtime/retention.ts";
import type { BrokerMetrics } from "./broker_metrics.ts";
import type { Forwarder } from "./forwarder.ts";

/** Where decisions about metadata are made, if it is here. */
export interface Decider {
  /** Whether this node is the active controller, as far as it knows. */
  readonly isLeader: boolean;
  /** Rejects with `NotController` or a `DiskFault`. */
  propose<Reply>(decide: (image: ClusterImage) => Decision<Reply>): Promise<Reply>;
}

/** What metadata says of this node. */
export interface SelfInCluster {
  /** Of this start of the process. */
  readonly incarnationId: Uuid;
  readonly isBroker: boolean;
  /** Whether it is registered by this start, and not fenced. */
  readonly mayServe: boolean;
}

/** given-up: the new voter did not catch up. unknown: leadership was lost, or the time is over. */
export type ChangeOutcome = "done" | "given-up" | "unknown" | ChangeRefusal;

/** The voter that this node is; there on nodes with the role of a controller. */
export interface RaftAdmin {
  status(): RaftStatus;
  /** Begins a change and does not wait for it. */
  begin(change: VoterChange): "started" | ChangeRefusal;
  /** Resolves when the change is committed, or with why it is not made. */
  change(change: VoterChange, timeoutMs: number): Promise<ChangeOutcome>;
}

export interface BrokerContext {
  readonly env: Env;
  readonly settings: BrokerSettings;
  readonly clusterId: string;
  readonly brokerId: number;
  readonly self: SelfInCluster;
  readonly image: ClusterImage;
  readonly quorum: Decider;
  readonly raft: RaftAdmin | undefined;
  readonly forwarder: Forwarder;
  readonly partitions: PartitionTable;
  readonly logs: ManagedLogs;
  readonly retention: Retention;
  readonly producerIds: ProducerIds;
  readonly groups: GroupCoordinator<GroupShard>;
  /** Patterns of subscriptions can be judged when it resolves; undefined where they can by now. */
  loadRegexes(): Promise<void> | undefined;
  readonly appendTools: AppendTools;
  readonly metrics: BrokerMetrics;
  /** What this node answers, in the order of the keys. */
  readonly served: readonly Api[];
  /** What another node can work with; undefined where it was not heard of. */
  readonly featuresOf: (nodeId: number) => readonly FeatureRange[] | undefined;
  /** Who follows the metadata log, as far as this controller has heard; voters may be among them. */
  observers(): readonly ObserverStatus[];
  /** Who leads the metadata quorum; undefined while nobody is known. */
  leaderId(): number | undefined;
}

/** What handlers see of one request beside its body. */
export interface Call {
  readonly apiVersion: number;
  readonly clientId: string | null;
  /** Of the connection: whether it is worth to go on. */
  readonly connection: CallConnection;
}

/** Which requests a connection is for, by the listener that it came to. */
export type ConnectionScope = "clients" | "peers" | "all";

export interface CallConnection {
  readonly scope: ConnectionScope;
  /** Where it comes from, for messages. */
  readonly remote: string;
  /** Made by the first request that only another node may send. */
  peerSession: PeerSession | undefined;
  /** Closed, or about to be: whoever waits on behalf of it need not wait longer. */
  readonly isGoing: boolean;
  /** Calls `onGoing` when that comes to be, until it is taken off. */
  onceGoing(onGoing: () => void): () => void;
}
