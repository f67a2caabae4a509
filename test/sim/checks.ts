/**
 * Looks at all invariants after every event of a node: at each where what it rests on has changed.
 *
 *     partitions   four numbers of each, read anew after every event
 *     metadata     which object it is, its applied offset, how far its image was replayed
 *     quorum       which object it is, its soft state
 *
 * All of that belongs to the node whose event it was, and to its present life: nobody else changes it.
 */
import type { SoftState } from "../../src/raft/ready.ts";
import type { LogManager } from "../../src/runtime/log_manager.ts";
import type { Partition } from "../../src/runtime/partition.ts";
import type { MetadataQuorum } from "../../src/runtime/quorum/metadata_quorum.ts";
import type { Invariant, MetadataState, PartitionNumbers } from "./invariant/invariant.ts";
import type { SimNode } from "./sim_node.ts";
import type { ImagePositions } from "./watch_images.ts";
import type { TableChanges } from "./watch_nodes.ts";

export interface ChecksOptions {
  readonly invariants: readonly Invariant[];
  readonly positions: ImagePositions;
  readonly tables: TableChanges;
  readonly onBroken: (invariant: string, message: string) => void;
}

interface KnownPartition {
  readonly partition: Partition;
  numbers: PartitionNumbers | undefined;
}

/** Of one node, as of its last event. */
interface Seen {
  logs: LogManager | undefined;
  tableChanges: number;
  partitions: readonly KnownPartition[];
  metadata: MetadataState | undefined;
  quorum: MetadataQuorum | undefined;
  softState: SoftState | undefined;
}

export class Checks {
  readonly #options: ChecksOptions;
  readonly #everyEvent: readonly Required<Pick<Invariant, "name" | "onNodeEvent">>[];
  readonly #seen = new Map<SimNode, Seen>();

  constructor(options: ChecksOptions) {
    this.#options = options;
    this.#everyEvent = options.invariants.flatMap(({ name, onNodeEvent }) => {
      return onNodeEvent === undefined ? [] : [{ name, onNodeEvent }];
    });
  }

  afterEvent(node: SimNode): void {
    let seen = this.#seen.get(node);
    if (seen === undefined) {
      seen = {
        logs: undefined,
        tableChanges: 0,
        partitions: [],
        metadata: undefined,
        quorum: undefined,
        softState: undefined,
      };
      this.#seen.set(node, seen);
    }
    this.#lookAtPartitions(node, seen);
    for (const { name, onNodeEvent } of this.#everyEvent) {
      const broken = onNodeEvent(node);
      if (broken !== undefined) this.#tell(node, name, broken);
    }
    this.#lookAtQuorum(node, seen);
    this.#lookAtMetadata(node, seen);
  }

  #lookAtPartitions(node: SimNode, seen: Seen): void {
    const { logs } = node;
    const { count } = this.#options.tables;
    if (seen.logs !== logs || seen.tableChanges !== count) {
      seen.partitions = partitionsOf(logs, seen.partitions);
      seen.logs = logs;
      seen.tableChanges = count;
    }
    for (const known of seen.partitions) {
      const { partition, numbers } = known;
      const { log } = partition;
      const highWatermark: number = partition.highWatermark;
      if (
        numbers !== undefined && numbers.highWatermark === highWatermark &&
        numbers.logEndOffset === log.logEndOffset &&
        numbers.logStartOffset === log.logStartOffset && numbers.recoveryPoint === log.recoveryPoint
      ) continue;
      const { logStartOffset, logEndOffset, recoveryPoint } = log;
      const now = { highWatermark, logStartOffset, logEndOffset, recoveryPoint };
      known.numbers = now;
      for (const { name, onPartition } of this.#options.invariants) {
        const broken = onPartition?.({ node, partition, now, before: numbers });
        if (broken !== undefined) this.#tell(node, name, broken);
      }
    }
  }

  #lookAtQuorum(node: SimNode, seen: Seen): void {
    const { quorum } = node;
    const softState = quorum?.node.softState;
    if (seen.quorum === quorum && seen.softState === softState) return;
    const before = seen.quorum === quorum ? seen.softState : undefined;
    seen.quorum = quorum;
    seen.softState = softState;
    if (quorum === undefined || softState === undefined) return;
    for (const { name, onQuorum } of this.#options.invariants) {
      const broken = onQuorum?.({ node, quorum, now: softState, before });
      if (broken !== undefined) this.#tell(node, name, broken);
    }
  }

  #lookAtMetadata(node: SimNode, seen: Seen): void {
    const { metadata } = node;
    if (metadata === undefined) return;
    const last = seen.metadata;
    const { appliedOffset } = metadata;
    const position = this.#options.positions.of(metadata.image);
    const before = last?.metadata === metadata ? last : undefined;
    if (before?.appliedOffset === appliedOffset && before.position === position) return;
    const now: MetadataState = { metadata, appliedOffset, position };
    seen.metadata = now;
    for (const { name, onMetadata } of this.#options.invariants) {
      const broken = onMetadata?.(node, now, before);
      if (broken !== undefined) this.#tell(node, name, broken);
    }
  }

  #tell(node: SimNode, name: string, broken: string): void {
    this.#options.onBroken(name, `${node.process.name}: ${broken}`);
  }
}

/** Those that stay keep what is known of them. */
function partitionsOf(
  logs: LogManager | undefined,
  known: readonly KnownPartition[],
): readonly KnownPartition[] {
  if (logs === undefined) return [];
  const before = new Map(known.map((one) => [one.partition, one]));
  return Array.from(logs.partitions.all(), (partition) => {
    return before.get(partition) ?? { partition, numbers: undefined };
  });
}
