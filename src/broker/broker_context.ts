/** What handlers see of the broker they belong to: values and machines, no sockets, no bytes. */
import type { Env } from "../env/env.ts";
import type { ClusterImage } from "../metadata/image.ts";
import type { AppendTools } from "../runtime/partition_append.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";
import type { ManagedLogs } from "../runtime/managed_logs.ts";
import type { MetadataQuorum } from "../runtime/metadata_quorum.ts";
import type { PartitionTable } from "../runtime/partition_table.ts";
import type { ProducerIds } from "../runtime/producer_ids.ts";
import type { Retention } from "../runtime/retention.ts";
import type { BrokerMetrics } from "./broker_metrics.ts";

export interface BrokerContext {
  readonly env: Env;
  readonly settings: BrokerSettings;
  readonly clusterId: string;
  readonly brokerId: number;
  readonly image: ClusterImage;
  readonly quorum: MetadataQuorum;
  readonly partitions: PartitionTable;
  readonly logs: ManagedLogs;
  readonly retention: Retention;
  readonly producerIds: ProducerIds;
  readonly appendTools: AppendTools;
  readonly metrics: BrokerMetrics;
}

/** What handlers see of one request beside its body. */
export interface Call {
  readonly apiVersion: number;
  readonly clientId: string | null;
  /** Of the connection: whether it is worth to go on. */
  readonly connection: CallConnection;
}

export interface CallConnection {
  /** Closed, or about to be: whoever waits on behalf of it need not wait longer. */
  readonly isGoing: boolean;
  /** Calls `onGoing` when that comes to be, until it is taken off. */
  onceGoing(onGoing: () => void): () => void;
}
