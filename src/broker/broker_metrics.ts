/**
 * What a broker counts. Names after the JMX exporter's (kafka_server_…, kafka_network_…) and
 * kafka_exporter's (kafka_topic_partition_…), so that existing dashboards find them.
 */
import type { ClusterImage } from "../metadata/image.ts";
import {
  type Counter,
  type CounterFamily,
  type Histogram,
  type HistogramFamily,
  Metrics,
} from "../runtime/metrics.ts";
import type { PartitionTable } from "../runtime/partition_table.ts";

export interface TopicCounters {
  readonly messagesIn: Counter;
  readonly bytesIn: Counter;
  readonly messagesOut: Counter;
  readonly bytesOut: Counter;
}

export class BrokerMetrics {
  readonly metrics = new Metrics();
  readonly requests: CounterFamily;
  readonly requestSeconds: HistogramFamily;
  readonly fsyncSeconds: Histogram;
  readonly loopDelaySeconds: Histogram;
  readonly refusedConnections: Counter;
  readonly badRequests: Counter;
  readonly appendErrors: Counter;
  readonly groupLoadSeconds: Histogram;
  connectionCount = 0;
  queuedRequestBytes = 0;
  readonly #messagesIn: CounterFamily;
  readonly #bytesIn: CounterFamily;
  readonly #messagesOut: CounterFamily;
  readonly #bytesOut: CounterFamily;
  readonly #topics = new Map<string, TopicCounters>();

  constructor() {
    const { metrics } = this;
    const counter = (name: string, help: string): CounterFamily =>
      metrics.counter({
        name: `kafka_server_brokertopicmetrics_${name}_total`,
        help,
        labels: ["topic"],
      });
    this.#messagesIn = counter("messagesin", "Records appended.");
    this.#bytesIn = counter("bytesin", "Bytes of record batches appended.");
    this.#messagesOut = counter("messagesout", "Records that fetching clients moved past.");
    this.#bytesOut = counter("bytesout", "Bytes of record batches sent.");
    this.requests = metrics.counter({
      name: "kafka_network_requestmetrics_requests_total",
      help: "Requests answered.",
      labels: ["request", "version"],
    });
    this.requestSeconds = metrics.histogram({
      name: "kafka_network_requestmetrics_totaltime_seconds",
      help: "Seconds from the arrival of a request to its answer.",
      labels: ["request"],
    });
    this.fsyncSeconds = metrics.histogram({
      name: "kafka_log_logflushstats_flush_seconds",
      help: "Seconds that an fdatasync of a log took.",
    }).of();
    this.loopDelaySeconds = metrics.histogram({
      name: "mq_event_loop_delay_seconds",
      help: "Seconds by which a timer came late.",
    }).of();
    this.refusedConnections = metrics.counter({
      name: "mq_connections_refused_total",
      help: "Connections closed because there were too many.",
    }).of();
    this.badRequests = metrics.counter({
      name: "mq_bad_requests_total",
      help: "Connections closed because of what they sent.",
    }).of();
    this.appendErrors = metrics.counter({
      name: "mq_append_errors_total",
      help: "Batches that a disk did not take.",
    }).of();
    this.groupLoadSeconds = metrics.histogram({
      name: "mq_group_coordinator_load_seconds",
      help: "Seconds that loading a partition of groups took.",
    }).of();
    metrics.gauge({
      name: "kafka_server_socketservermetrics_connection_count",
      help: "Connections open.",
    }, (set) => set(this.connectionCount));
    metrics.gauge({
      name: "mq_queued_request_bytes",
      help: "Bytes of requests under way.",
    }, (set) => set(this.queuedRequestBytes));
  }

  topic(name: string): TopicCounters {
    let counters = this.#topics.get(name);
    if (counters === undefined) {
      counters = {
        messagesIn: this.#messagesIn.of(name),
        bytesIn: this.#bytesIn.of(name),
        messagesOut: this.#messagesOut.of(name),
        bytesOut: this.#bytesOut.of(name),
      };
      this.#topics.set(name, counters);
    }
    return counters;
  }

  /** The topic is no more: neither are its counters. */
  forgetTopic(name: string): void {
    this.#topics.delete(name);
    for (const family of [this.#messagesIn, this.#bytesIn, this.#messagesOut, this.#bytesOut]) {
      family.remove(name);
    }
  }

  /** Adds the gauges that are read from the state of the broker. */
  observe(image: ClusterImage, partitions: PartitionTable): void {
    const { metrics } = this;
    metrics.gauge({ name: "kafka_brokers", help: "Brokers of the cluster." }, (set) => {
      set(image.brokers().length);
    });
    metrics.gauge({
      name: "kafka_broker_info",
      help: "Address of a broker.",
      labels: ["id", "address"],
    }, (set) => {
      for (const broker of image.brokers()) {
        set(1, String(broker.brokerId), `${broker.host}:${broker.port}`);
      }
    });
    metrics.gauge({
      name: "kafka_topic_partitions",
      help: "Partitions of a topic.",
      labels: ["topic"],
    }, (set) => {
      for (const topic of image.topics()) set(topic.partitions.length, topic.name);
    });
    this.#observePartitions(image);
    this.#observeLogs(partitions);
  }

  #observePartitions(image: ClusterImage): void {
    type Read = (
      partition: { leader: number; replicas: readonly number[]; isr: readonly number[] },
    ) => number;
    const gauges: readonly (readonly [string, string, Read])[] = [
      ["leader", "Leader of a partition.", ({ leader }) => leader],
      ["replicas", "Replicas of a partition.", ({ replicas }) => replicas.length],
      ["in_sync_replica", "Replicas of a partition that are in sync.", ({ isr }) => isr.length],
      [
        "leader_is_preferred",
        "1 where the first replica leads.",
        ({ leader, replicas }) => leader === replicas[0] ? 1 : 0,
      ],
      [
        "under_replicated_partition",
        "1 where a replica is not in sync.",
        ({ isr, replicas }) => isr.length < replicas.length ? 1 : 0,
      ],
    ];
    for (const [name, help, read] of gauges) {
      const options = {
        name: `kafka_topic_partition_${name}`,
        help,
        labels: ["topic", "partition"],
      };
      this.metrics.gauge(options, (set) => {
        for (const topic of image.topics()) {
          for (const partition of topic.partitions) {
            set(read(partition), topic.name, String(partition.partitionId));
          }
        }
      });
    }
  }

  #observeLogs(partitions: PartitionTable): void {
    const labels = ["topic", "partition"];
    const gauge = (name: string, help: string, read: (one: LogFacts) => number): void => {
      this.metrics.gauge({ name, help, labels }, (set) => {
        for (const one of partitions.all()) set(read(one), one.topic, String(one.partitionId));
      });
    };
    gauge("kafka_topic_partition_current_offset", "High watermark.", (one) => one.highWatermark);
    gauge(
      "kafka_topic_partition_oldest_offset",
      "Log start offset.",
      (one) => one.log.logStartOffset,
    );
    gauge("kafka_log_log_size", "Bytes of a log.", (one) => one.log.sizeInBytes());
    gauge("kafka_log_log_logendoffset", "Log end offset.", (one) => one.log.logEndOffset);
  }
}

interface LogFacts {
  readonly highWatermark: number;
  readonly log: {
    readonly logStartOffset: number;
    readonly logEndOffset: number;
    sizeInBytes(): number;
  };
}
