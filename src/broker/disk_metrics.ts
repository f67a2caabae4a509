/** What is told of the log directories and of the work that goes on in the background. */
import type { ReadChecks } from "../log/reading/read_checks.ts";
import type { Background } from "../runtime/background.ts";
import type { DirectoryReport } from "../runtime/log_manager.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { PartitionTable } from "../runtime/partition_table.ts";

interface Directories {
  directories(): readonly DirectoryReport[];
  readonly partitions: PartitionTable;
}

/** Names after the JMX exporter's where Kafka has the metric. */
export function observeDirectories(metrics: Metrics, logs: Directories): void {
  const labels = ["logdirectory"];
  metrics.gauge({
    name: "kafka_log_logmanager_offlinelogdirectorycount",
    help: "Log directories that are offline.",
  }, (set) => set(logs.directories().filter(({ state }) => state === "offline").length));
  metrics.gauge({
    name: "kafka_log_logmanager_logdirectoryoffline",
    help: "1 where a log directory is offline.",
    labels,
  }, (set) => {
    for (const { path, state } of logs.directories()) set(state === "offline" ? 1 : 0, path);
  });
  metrics.gauge({
    name: "mq_disk_is_full",
    help: "1 where a log directory has too little room for produced batches.",
    labels,
  }, (set) => {
    for (const { path, state } of logs.directories()) set(state === "full" ? 1 : 0, path);
  });
  metrics.gauge({
    name: "mq_disk_free_bytes",
    help: "Free bytes of the file system of a log directory, as measured last.",
    labels,
  }, (set) => {
    for (const { path, freeBytes } of logs.directories()) {
      if (freeBytes !== undefined) set(freeBytes, path);
    }
  });
  metrics.gauge({
    name: "kafka_server_replicamanager_offlinereplicacount",
    help: "Partitions whose log cannot be served: damaged, or on a directory that is offline.",
  }, (set) => set(logs.partitions.offlineCount()));
}

export function observeBackground(
  metrics: Metrics,
  { retention, cleaner, scrubber }: Background,
  reads: ReadChecks,
): void {
  const count = metrics.count.bind(metrics);
  count(
    "mq_retention_segments_deleted_total",
    "Segments that retention took out of logs.",
    () => retention.metrics.segmentsDeleted,
  );
  count("mq_cleaner_bytes_read_total", "Bytes that compaction read.", () => {
    return cleaner.metrics.bytesRead;
  });
  count("mq_cleaner_bytes_written_total", "Bytes that compaction wrote.", () => {
    return cleaner.metrics.bytesWritten;
  });
  count("mq_cleaner_runs_total", "Compactions of a log.", () => cleaner.metrics.runs);
  metrics.gauge({
    name: "kafka_log_logcleaner_cleaner_recopy_percent",
    help: "Of the bytes that the last compaction met, how many were written again.",
  }, (set) => set(cleaner.metrics.recopyPercent));
  metrics.gauge({
    name: "kafka_log_logcleanermanager_uncleanable_partitions_count",
    help: "Partitions that could not be compacted and are left alone for a while.",
  }, (set) => set(cleaner.metrics.uncleanablePartitions));
  count("mq_scrub_bytes_total", "Bytes that scrubbing read.", () => scrubber.metrics.bytes);
  metrics.gauge({
    name: "mq_scrub_damaged_batches",
    help: "Damaged batches that scrubbing knows of.",
    labels: ["topic", "partition"],
  }, (set) => {
    for (const { topic, partitionId, batches } of scrubber.damaged()) {
      set(batches, topic, String(partitionId));
    }
  });
  count("mq_read_damaged_batches_total", "Damaged batches that were asked for.", () => {
    return reads.metrics.damagedBatches;
  });
  count("mq_read_errors_total", "Reads that a disk refused.", () => reads.metrics.errors);
}
