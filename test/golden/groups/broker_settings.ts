/** What every broker has that is asked: small limits, so that cases come to them. */
export const BROKER_SETTINGS: Readonly<Record<string, string>> = {
  "group.initial.rebalance.delay.ms": "0",
  "offsets.topic.num.partitions": "4",
  "offsets.topic.replication.factor": "1",
  "group.max.size": "4",
  "group.consumer.max.size": "4",
  "group.consumer.min.session.timeout.ms": "1000",
  "group.consumer.min.heartbeat.interval.ms": "500",
};
