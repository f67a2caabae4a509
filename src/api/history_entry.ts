/**
 * One rebalance of a group's recent history, as mq tells it beyond Kafka (tag 10000 of DescribeGroups
 * and ConsumerGroupDescribe).
 */
export const historyEntry = [
  { name: "atMs", type: "int64", versions: "0+" },
  // Or group epoch.
  { name: "generation", type: "int32", versions: "0+" },
  { name: "reason", type: "string", mayBeCut: true, versions: "0+" },
  { name: "memberCount", type: "int32", versions: "0+" },
  // How long partitions stood still, the longest of any member; -1 = it goes on.
  { name: "durationMs", type: "int64", versions: "0+", default: -1 },
] as const;
