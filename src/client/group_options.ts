/** What a group consumer is told: which group, which topics, by which protocol, and who hears of it. */
import type { ConsumerOptions, Isolation } from "./consumer_options.ts";
import type { OffsetPoint } from "./offset_range.ts";
import type { RetryReport } from "./retry_report.ts";

/** Kafka's names; each is a protocol of the group's members, who agree on one (KIP-62, KIP-429). */
export type AssignorName = "cooperative-sticky" | "range" | "roundrobin";

/** "classic": members divide the partitions; "consumer": the coordinator does (KIP-848). */
export type GroupProtocol = "classic" | "consumer";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** All topics whose whole name it matches, also those that are made later; RE2 under "consumer". */
export interface TopicPattern {
  readonly pattern: string;
}

/** Something the reader cannot see by itself and may want to be told. */
export interface GroupNotice {
  readonly kind:
    /** The application did not ask for more in `maxProcessingMs`: the group was left. */
    | "too-slow"
    /** The coordinator had taken this member for dead: its partitions are lost, and it joins anew. */
    | "expelled"
    /** A commit was refused or given up; what was not committed will be read again by somebody. */
    | "commit-failed"
    /** A partition is read on from somewhere else: its records, or its whole topic, are gone. */
    | "offset-reset"
    /** A topic that was named is not there; it is waited for. */
    | "topic-missing"
    /** The coordinator does not answer; it is asked again. */
    | "coordinator-lost";
  readonly message: string;
}

export interface GroupConsumerOptions extends
  Pick<
    ConsumerOptions,
    | "maxBytes"
    | "partitionMaxBytes"
    | "minBytes"
    | "maxWaitMs"
    | "checkCrcs"
    | "inflatedBytesMax"
  > {
  readonly groupId: string;
  readonly topics: readonly string[] | TopicPattern;
  /** "classic" where left out. */
  readonly protocol?: GroupProtocol;
  /** Of "classic": in the order of preference; ["cooperative-sticky"] where left out. */
  readonly assignors?: readonly AssignorName[];
  /** Of "consumer": "uniform", "range" or another of the cluster's; its first where left out. */
  readonly remoteAssignor?: string;
  /** A static member (KIP-345): who comes back with it in time gets the same partitions. */
  readonly instanceId?: string;
  /**
   * Where it stands: "range" and the coordinator's assignors prefer partitions with a replica there. All
   * are fetched from their leaders.
   */
  readonly rackId?: string;
  /** Of "classic": without a heartbeat for so long a member counts as dead; 45 s. */
  readonly sessionTimeoutMs?: number;
  /** Of "classic"; 3 s. Under "consumer" the coordinator tells. */
  readonly heartbeatIntervalMs?: number;
  /** How long members have to give partitions back; 5 min, Kafka's max.poll.interval.ms. */
  readonly rebalanceTimeoutMs?: number;
  /** An application that shows no sign of progress for so long has its partitions taken; the same. */
  readonly maxProcessingMs?: number;
  /** Where a partition begins that has no commit; the end where left out. */
  readonly from?: OffsetPoint;
  /** "end": ends by itself when all partitions were read to where they ended when they were first got. */
  readonly until?: "end";
  /**
   * What to do where an offset is gone; like `from` for start and end, else "start". It is told as
   * "offset-reset". See `ConsumerOptions` for a log that was cut and a topic that was made anew.
   */
  readonly onOutOfRange?: "error" | "start" | "end";
  readonly isolation?: Isolation;
  /** "auto" where left out: every `autoCommitIntervalMs`, before partitions are given back, at close. */
  readonly commit?: "auto" | "manual";
  /** 5 s. */
  readonly autoCommitIntervalMs?: number;
  /** How often topics are looked up under "classic", for new partitions and new topics; 5 min. */
  readonly metadataMaxAgeMs?: number;
  /** Ends it at once with ABORTED: nothing is committed and nobody told. `close` is the gentle way. */
  readonly signal?: AbortSignal;
  /** These are read from now on. */
  onAssigned?(partitions: readonly TopicPartition[]): void;
  /** These shall be given back: whoever has more of them in his hands should come to an end with it. */
  onRevoking?(partitions: readonly TopicPartition[]): void;
  /** These are about to be given back: nothing more of them comes. It is waited for, then committed. */
  onRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** These are somebody else's already: nothing can be committed for them any more. */
  onLost?(partitions: readonly TopicPartition[]): void;
  /** Hears of every failure behind which a partition is fetched again. */
  onRetry?(report: RetryReport): void;
  onNotice?(notice: GroupNotice): void;
}

export interface CloseOptions {
  /** Whether the group is told; true, but false for a static member, which may come back. */
  readonly leave?: boolean;
  /** Whether what is done is committed; true under "auto", else false. */
  readonly commit?: boolean;
}
