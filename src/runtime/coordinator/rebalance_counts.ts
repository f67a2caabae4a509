/**
 * How often groups were rebalanced, seen from what they write: a new generation of a classic group with
 * its assignments, a new epoch of a consumer group. A static member that came back writes the same
 * generation again, and counts for nothing.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";

export class RebalanceCounts {
  classic = 0;
  consumer = 0;
  /** Of classic groups with members, as they were written here last. */
  readonly #generations = new Map<string, number>();

  onWritten(record: GroupRecord): void {
    if (record.kind === "ConsumerGroupMetadata" && record.value !== null) this.consumer++;
    if (record.kind !== "GroupMetadata") return;
    const { key: { group }, value } = record;
    if (value === null || value.members.length === 0) {
      this.#generations.delete(group);
      return;
    }
    if (this.#generations.get(group) === value.generation) return;
    this.#generations.set(group, value.generation);
    this.classic++;
  }
}
