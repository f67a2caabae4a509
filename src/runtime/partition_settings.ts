/** The settings of one partition in force: the topic's own values over the broker's defaults. */
import type { LogSettings } from "../log/segment/segment_policy.ts";
import { topicConfigValue, type TopicSettingName } from "../metadata/topic_config.ts";
import type { Durability } from "../replica/high_watermark.ts";

export interface CompactionSettings {
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
  readonly deleteRetentionMs: number;
}

export interface PartitionSettings {
  readonly log: LogSettings;
  readonly durability: Durability;
  readonly maxMessageBytes: number;
  readonly minInsyncReplicas: number;
  readonly recordValidation: "records" | "header";
  readonly timestampType: "CreateTime" | "LogAppendTime";
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  readonly isCompacted: boolean;
  /** Whether old segments go by age or size; a topic may be compacted as well. */
  readonly isDeleted: boolean;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly compaction: CompactionSettings;
  readonly compressionType: string;
  /** Of the codec that `compressionType` names; undefined where that has no levels. */
  readonly compressionLevel: number | undefined;
  readonly fileDeleteDelayMs: number;
  readonly flushMessages: number;
  readonly flushMs: number;
}

/** Not lz4: its level is known and has no effect (host/compressor.ts). */
const LEVEL_OF = new Map<string, TopicSettingName>([
  ["gzip", "compression.gzip.level"],
  ["zstd", "compression.zstd.level"],
]);

export function partitionSettings(
  own: ReadonlyMap<string, string>,
  brokerValue: (synonym: string) => string | undefined,
): PartitionSettings {
  const value = (name: TopicSettingName): unknown => topicConfigValue(name, own, brokerValue);
  const cleanupPolicy = value("cleanup.policy") as readonly string[];
  const isCompacted = cleanupPolicy.includes("compact");
  const segmentMs = value("segment.ms") as number;
  const maxCompactionLagMs = value("max.compaction.lag.ms") as number;
  const compressionType = value("compression.type") as string;
  const level = LEVEL_OF.get(compressionType);
  return {
    log: {
      segmentBytes: value("segment.bytes") as number,
      // kafka: LogConfig.maxSegmentMs: what is to be compacted in time must not stay in the active segment.
      segmentMs: isCompacted ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs,
      segmentJitterMs: value("segment.jitter.ms") as number,
      indexIntervalBytes: value("index.interval.bytes") as number,
      segmentIndexBytes: value("segment.index.bytes") as number,
    },
    durability: value("mq.durability") as Durability,
    maxMessageBytes: value("max.message.bytes") as number,
    minInsyncReplicas: value("min.insync.replicas") as number,
    recordValidation: value("mq.record.validation") as "records" | "header",
    timestampType: value("message.timestamp.type") as "CreateTime" | "LogAppendTime",
    timestampBeforeMaxMs: value("message.timestamp.before.max.ms") as number,
    timestampAfterMaxMs: value("message.timestamp.after.max.ms") as number,
    isCompacted,
    isDeleted: cleanupPolicy.includes("delete"),
    retentionMs: value("retention.ms") as number,
    retentionBytes: value("retention.bytes") as number,
    compaction: {
      minCleanableDirtyRatio: value("min.cleanable.dirty.ratio") as number,
      minCompactionLagMs: value("min.compaction.lag.ms") as number,
      maxCompactionLagMs,
      deleteRetentionMs: value("delete.retention.ms") as number,
    },
    compressionType,
    compressionLevel: level === undefined ? undefined : value(level) as number,
    fileDeleteDelayMs: value("file.delete.delay.ms") as number,
    flushMessages: value("flush.messages") as number,
    flushMs: value("flush.ms") as number,
  };
}
