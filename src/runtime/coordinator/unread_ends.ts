/** The answering side of UnreadOffsets: what lies behind offsets in the partitions that are led here. */
import { ErrorCode } from "../../api/error_code.ts";
import {
  type CommittedPlace,
  type UnreadEnd,
  type UnreadOffsetsRequest,
  type UnreadOffsetsResponse,
} from "../../api/own/unread_offsets.ts";
import type { Clock } from "../../env/clock.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { Partition } from "../partition.ts";
import type { PartitionTable } from "../partition_table.ts";
import { type Unread, UnreadTimes } from "./unread_times.ts";

export interface UnreadEndsOptions {
  readonly clock: Clock;
  readonly image: ClusterImage;
  readonly partitions: PartitionTable;
}

const NODES_MAX = 256;
const NOT_KNOWN: UnreadEnd = { highWatermark: -1, writtenMs: -1 };

export class UnreadEnds {
  readonly #options: UnreadEndsOptions;
  /** By who asks: each asks for its own groups, again and again. */
  readonly #times = new Map<number, UnreadTimes>();

  constructor(options: UnreadEndsOptions) {
    this.#options = options;
  }

  /** To the node that coordinates the groups. */
  async answer(
    nodeId: number,
    { places }: UnreadOffsetsRequest,
  ): Promise<UnreadOffsetsResponse> {
    const times = this.#timesOf(nodeId);
    const found = places.map((place) => this.#unreadOf(place));
    await times.look(found.filter((one) => one !== undefined && isBehind(one)) as Unread[]);
    const ends = found.map((one): UnreadEnd => {
      if (one === undefined) return NOT_KNOWN;
      const writtenMs = isBehind(one) ? times.get(one) ?? -1 : -1;
      return { highWatermark: one.partition.highWatermark, writtenMs };
    });
    return { errorCode: ErrorCode.None, ends };
  }

  #timesOf(nodeId: number): UnreadTimes {
    let times = this.#times.get(nodeId);
    if (times !== undefined) return times;
    if (this.#times.size === NODES_MAX) this.#times.clear();
    this.#times.set(nodeId, times = new UnreadTimes(this.#options.clock));
    return times;
  }

  /** Undefined where this broker cannot tell. */
  #unreadOf({ topicId, partitionId, offset }: CommittedPlace): Unread | undefined {
    const topic = this.#options.image.topicById(topicId);
    const partition = topic === undefined
      ? undefined
      : this.#options.partitions.get(topic.name, partitionId);
    if (partition === undefined || !isLedHere(partition)) return undefined;
    return { key: `${topicId} ${partitionId} ${offset}`, offset, partition };
  }
}

export function isLedHere(partition: Partition): boolean {
  return partition.isLeader && partition.isOnline;
}

export function isBehind({ offset, partition }: Unread): boolean {
  return offset < partition.highWatermark;
}
