/**
 * What the leader of a classic group has to do for the others: it divides the partitions, and watches
 * whether what it has divided is still all there is.
 *
 * Not here: how it became the leader, and how the others are told (`membership_classic.ts`).
 */
import { writeAssignment } from "../../api/consumer_protocol.ts";
import type { AssignorMember, PartitionCounts } from "./assignor/assignor.ts";
import { assignorOf } from "./assignor/assignors.ts";
import type { PartitionRacks } from "./assignor/racks.ts";
import { byTopic } from "./partition_set.ts";

export class ClassicLeader {
  /** All that somebody is subscribed to. */
  readonly topics: readonly string[];
  readonly #members: readonly AssignorMember[];
  #divided: PartitionCounts | undefined;

  constructor(members: readonly AssignorMember[]) {
    this.#members = members;
    this.topics = [...new Set(members.flatMap(({ topics }) => topics))];
  }

  /** False for one that came back, whose group lives by an earlier division. */
  get hasDivided(): boolean {
    return this.#divided !== undefined;
  }

  /** The assignment of each member, encoded; undefined where the assignor is none of ours. */
  divide(
    protocolName: string | null,
    counts: PartitionCounts,
    racks: PartitionRacks,
  ): ReadonlyMap<string, Uint8Array> | undefined {
    const assignor = assignorOf(protocolName);
    if (assignor === undefined) return undefined;
    this.#divided = this.#ofTopics(counts);
    const division = assignor.divide(this.#members, this.#divided, racks);
    return new Map(
      [...division].map(([memberId, partitions]) => [
        memberId,
        writeAssignment({ assignedPartitions: byTopic(partitions) }),
      ]),
    );
  }

  /** Whether a topic has other partitions than were divided. */
  hasOutlived(counts: PartitionCounts): boolean {
    const present = this.#ofTopics(counts);
    const divided = this.#divided ??= present; // not by us, but from now on it is our duty
    return [...present].some(([topic, count]) => divided.get(topic) !== count);
  }

  /** Whether there is more than members have been given. */
  hasLeftOut(there: PartitionCounts, given: PartitionCounts): boolean {
    return [...this.#ofTopics(there)].some(([topic, count]) => (given.get(topic) ?? 0) < count);
  }

  #ofTopics(counts: PartitionCounts): PartitionCounts {
    const topics = new Set(this.topics);
    return new Map([...counts].filter(([topic]) => topics.has(topic)));
  }
}
