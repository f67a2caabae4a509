/** At the start: which partitions cannot be served, in one event that names some of them. */
import type { Trace } from "../env/trace.ts";
import type { PartitionTable } from "../runtime/partition_table.ts";

const NAMED_MAX = 10;

/** Each has its reason in what a produce or a fetch is answered with. */
export function tellOfOffline(trace: Trace, partitions: PartitionTable): void {
  const count = partitions.offlineCount();
  if (count === 0) return;
  const names: string[] = [];
  for (const { topic, partitionId } of allOffline(partitions)) {
    if (names.length === NAMED_MAX) break;
    names.push(`${topic}-${partitionId}`);
  }
  const more = count > names.length ? ` and ${count - names.length} more` : "";
  trace.event("error", "partitions are offline", { count, partitions: names.join(", ") + more });
}

function* allOffline(
  partitions: PartitionTable,
): Iterable<{ readonly topic: string; readonly partitionId: number }> {
  yield* partitions.offline();
  for (const partition of partitions.all()) if (!partition.isOnline) yield partition;
}
