/**
 * The settings of a broker: Kafka's names, mq's own beginning with `mq.`; one line each.
 *
 * Defaults of topic settings (`log.retention.ms` and such) are not listed here but derived from
 * `metadata/topic_config.ts`. Names of Kafka that have no meaning for one event loop (threads, JVM)
 * are accepted, so that an operator's file starts mq as it starts Kafka.
 */
import { nearestName } from "../ground/nearest.ts";
import {
  parseSetting,
  type Setting,
  type SettingType,
  type SettingValue,
} from "../metadata/setting.ts";
import { refuseGroupSettings } from "./coordinator/group_settings_of.ts";
import { refuseTogether, TOPIC_SETTINGS, type TopicSetting } from "../metadata/topic_config.ts";

// deno-fmt-ignore
const OWN = [
  { name: "process.roles", type: "list", default: "broker,controller", values: ["broker", "controller"], doc: "What this node is." },
  { name: "node.id", type: "int", default: "1", min: 0, doc: "Identity of this node within the cluster." },
  { name: "broker.rack", type: "string", doc: "Rack of this node." },
  { name: "cluster.id", type: "string", doc: "Cluster that the data directory must belong to; a new directory gets it." },
  { name: "log.dirs", type: "list", doc: "Directories that hold the data." },
  { name: "log.dir", type: "string", doc: "The directory that holds the data, where log.dirs is not given." },
  { name: "listeners", type: "list", default: "PLAINTEXT://127.0.0.1:9092", doc: "Addresses to listen on." },
  { name: "advertised.listeners", type: "list", doc: "Addresses that clients are told; without it those of listeners." },
  { name: "controller.quorum.voters", type: "list", form: { pattern: /^$|^\d+@[^@,\s]+:\d+(,\d+@[^@,\s]+:\d+)*$/, words: "a list of ID@HOST:PORT" }, doc: "Voters of the metadata quorum, ID@HOST:PORT; without it the node stands alone." },
  { name: "controller.quorum.bootstrap.servers", type: "list", doc: "Controllers that a node which is no voter asks first, HOST:PORT." },
  { name: "controller.quorum.election.timeout.ms", type: "int", default: "400", min: 50, doc: "How long a voter hears nothing from the leader of the quorum before it stands for election, in milliseconds." },
  { name: "mq.controller.heartbeat.ms", type: "int", default: "200", min: 10, doc: "How often the leader of the quorum is heard of when nothing happens, in milliseconds." },
  { name: "broker.heartbeat.interval.ms", type: "int", default: "2000", min: 10, doc: "How often a broker tells the active controller that it is alive, in milliseconds." },
  { name: "broker.session.timeout.ms", type: "int", default: "9000", min: 100, doc: "How long a broker may be silent before it is fenced, in milliseconds." },
  { name: "metadata.log.max.record.bytes.between.snapshots", type: "long", default: "20971520", min: 1, doc: "Bytes of metadata records behind which a snapshot is taken." },
  { name: "metadata.log.max.snapshot.interval.ms", type: "long", default: "3600000", min: 0, doc: "How long metadata records may be without a snapshot, in milliseconds; 0 is for ever." },
  { name: "mq.peer.request.max.bytes", type: "int", default: "16777216", min: 65536, doc: "Largest request of another node of the cluster, in bytes." },
  { name: "mq.cluster.id", type: "string", doc: "Cluster that an empty data directory is made for." },
  { name: "controller.listener.names", type: "list", doc: "Listeners that are for other nodes of the cluster, which are then heard on no other; a node that stands alone does not open them." },
  { name: "listener.security.protocol.map", type: "list", doc: "Security protocols of listeners, NAME:PROTOCOL; PLAINTEXT is the one that is served." },
  { name: "mq.http.listener", type: "string", default: "127.0.0.1:9644", doc: "Address of health and metrics, or off." },
  { name: "auto.create.topics.enable", type: "boolean", default: "true", doc: "Whether a topic is created when a client first asks for it." },
  { name: "delete.topic.enable", type: "boolean", default: "true", doc: "Whether topics may be deleted." },
  { name: "num.partitions", type: "int", default: "1", min: 1, doc: "Partitions of a topic that is created without a number." },
  { name: "default.replication.factor", type: "int", default: "1", min: 1, doc: "Replicas of a topic that is created without a number." },
  { name: "mq.create.partitions.max", type: "int", default: "10000", min: 1, doc: "Most partitions that one request may create." },
  { name: "socket.request.max.bytes", type: "int", default: "104857600", min: 1024, doc: "Largest request that is read, in bytes." },
  { name: "queued.max.request.bytes", type: "long", default: "134217728", min: -1, doc: "Bytes of requests under way in all connections before reading pauses; -1 is no limit." },
  { name: "mq.connection.requests.max", type: "int", default: "128", min: 1, doc: "Requests under way in one connection before reading pauses." },
  { name: "mq.connection.queued.bytes.max", type: "int", default: "8388608", min: 65536, doc: "Bytes of replies waiting in one connection before reading pauses." },
  { name: "max.connections", type: "int", default: "10000", min: 0, doc: "Connections at most." },
  { name: "connections.max.idle.ms", type: "long", default: "600000", min: -1, doc: "Milliseconds after which a connection without requests is closed; -1 is never." },
  { name: "fetch.max.bytes", type: "int", default: "57671680", min: 1024, doc: "Bytes that one Fetch is answered with at most." },
  { name: "mq.tail.cache.bytes", type: "long", default: "33554432", min: 0, doc: "Bytes of the newest batches of all partitions that stay in memory." },
  { name: "mq.decompression.max.bytes", type: "int", default: "67108864", min: 1048576, doc: "Bytes that the compressed batches of one request may inflate to while they are checked." },
  { name: "mq.background.flush.ms", type: "long", default: "30000", min: 100, doc: "How often logs of the durability class memory are made durable, in milliseconds." },
  { name: "producer.id.expiration.ms", type: "int", default: "86400000", min: 1, doc: "Milliseconds after which an idle producer's sequence numbers are forgotten." },
  { name: "transactional.id.expiration.ms", type: "int", default: "604800000", min: 1, doc: "Milliseconds after which an idle transactional id is forgotten." },
  { name: "offsets.topic.num.partitions", type: "int", default: "50", min: 1, doc: "Partitions of the topic that keeps committed offsets and groups; it is made when the first group asks." },
  { name: "offsets.topic.replication.factor", type: "int", min: 1, max: 32767, doc: "Replicas of the topic that keeps committed offsets and groups; without it three, or as many as there are brokers when it is made." },
  { name: "offsets.topic.segment.bytes", type: "int", default: "104857600", min: 1048576, doc: "Bytes of a segment of the topic that keeps committed offsets and groups, when it is made." },
  { name: "offsets.retention.minutes", type: "int", default: "10080", min: 1, doc: "Minutes that the offsets of a group without members are kept, and those of whoever commits without being a member." },
  { name: "offsets.retention.check.interval.ms", type: "long", default: "600000", min: 1, doc: "How often offsets that are too old are looked for, in milliseconds." },
  { name: "offset.metadata.max.bytes", type: "int", default: "4096", min: 0, doc: "Largest text that may be committed beside an offset, in bytes." },
  { name: "group.min.session.timeout.ms", type: "int", default: "6000", min: 0, doc: "Shortest session timeout that a member of a classic group may ask for, in milliseconds." },
  { name: "group.max.session.timeout.ms", type: "int", default: "1800000", min: 0, doc: "Longest session timeout that a member of a classic group may ask for, in milliseconds." },
  { name: "group.initial.rebalance.delay.ms", type: "int", default: "0", min: 0, doc: "How long an empty classic group waits for more members before its first rebalance, in milliseconds (Kafka: 3000)." },
  { name: "group.max.size", type: "int", default: "2147483647", min: 1, doc: "Most members of a classic group." },
  { name: "group.coordinator.rebalance.protocols", type: "list", default: "classic,consumer", values: ["classic", "consumer", "share", "streams"], doc: "Protocols of groups that are served; there are classic and consumer." },
  { name: "group.consumer.session.timeout.ms", type: "int", default: "45000", min: 1, doc: "How long a member of a consumer group (KIP-848) may be silent, in milliseconds; a group may have its own." },
  { name: "group.consumer.min.session.timeout.ms", type: "int", default: "45000", min: 1, doc: "Shortest such time that a group may have, in milliseconds." },
  { name: "group.consumer.max.session.timeout.ms", type: "int", default: "60000", min: 1, doc: "Longest such time that a group may have, in milliseconds." },
  { name: "group.consumer.heartbeat.interval.ms", type: "int", default: "5000", min: 1, doc: "How often members of a consumer group (KIP-848) are told to send heartbeats, in milliseconds; a group may have its own." },
  { name: "group.consumer.min.heartbeat.interval.ms", type: "int", default: "5000", min: 1, doc: "Shortest such interval that a group may have, in milliseconds." },
  { name: "group.consumer.max.heartbeat.interval.ms", type: "int", default: "15000", min: 1, doc: "Longest such interval that a group may have, in milliseconds." },
  { name: "group.consumer.max.size", type: "int", default: "2147483647", min: 1, doc: "Most members of a consumer group (KIP-848)." },
  { name: "group.consumer.assignors", type: "list", default: "uniform,range", values: ["uniform", "range"], doc: "Assignors of consumer groups (KIP-848); the first is taken where a member names none." },
  { name: "group.consumer.migration.policy", type: "string", default: "bidirectional", values: ["bidirectional", "upgrade", "downgrade", "disabled"], doc: "Which live groups may change between the classic and the consumer protocol." },
  { name: "group.consumer.regex.refresh.interval.ms", type: "int", default: "600000", min: 10000, doc: "How often subscriptions by pattern are looked at anew at the latest, in milliseconds." },
  { name: "mq.group.stuck.ms", type: "long", default: "300000", min: 1, doc: "How long a committed offset may stay behind unread records before the partition counts as stuck, in milliseconds." },
  { name: "log.initial.task.delay.ms", type: "long", default: "30000", min: 0, doc: "How long after the start retention is looked at for the first time, in milliseconds." },
  { name: "log.retention.check.interval.ms", type: "long", default: "300000", min: 1, doc: "How often retention is looked at, in milliseconds." },
  { name: "log.cleaner.enable", type: "boolean", default: "true", doc: "Whether compacted topics are compacted." },
  { name: "log.cleaner.backoff.ms", type: "long", default: "15000", min: 1, doc: "How long the cleaner waits when there is nothing to compact, in milliseconds." },
  { name: "log.cleaner.dedupe.buffer.size", type: "long", default: "134217728", min: 1048576, doc: "Bytes of memory for the keys of one compaction at most; more keys take more passes." },
  { name: "log.cleaner.io.max.bytes.per.second", type: "double", default: "1.7976931348623157e308", min: 1, doc: "Bytes that compaction reads and writes in a second at most." },
  { name: "mq.disk.reserve.bytes", type: "long", default: "67108864", min: 0, doc: "Free bytes of a log directory, at most a sixteenth of its file system, below which batches are refused, so that cleaning up has room; 0 is none." },
  { name: "mq.scrub.interval.ms", type: "long", default: "604800000", min: 0, doc: "Time in which every closed segment is read and checked once, in milliseconds; 0 is never." },
  { name: "mq.scrub.bytes.per.second", type: "long", default: "8388608", min: 4096, doc: "Bytes that scrubbing reads in a second at most." },
  { name: "mq.read.verify.interval.ms", type: "long", default: "600000", min: 0, doc: "How long a batch that was read from the disk and found sound is sent without being checked again, in milliseconds; 0 checks at every read." },
  { name: "mq.stop.timeout.ms", type: "long", default: "10000", min: 0, doc: "How long a graceful stop waits for requests under way, in milliseconds." },
  { name: "log.retention.minutes", type: "int", min: -1, doc: "Retention in minutes, where log.retention.ms is not given." },
  { name: "log.retention.hours", type: "int", min: -1, doc: "Retention in hours, where neither milliseconds nor minutes are given." },
  { name: "log.roll.hours", type: "int", min: 1, doc: "Longest life of an active segment in hours, where log.roll.ms is not given." },
  { name: "log.roll.jitter.hours", type: "int", min: 0, doc: "Random time taken off the life of an active segment in hours, where log.roll.jitter.ms is not given." },
] as const satisfies readonly Setting[];

/** Accepted and without effect: what mq has no use for, or does not do yet. */
const IGNORED =
  "num.network.threads num.io.threads num.recovery.threads.per.data.dir num.replica.fetchers background.threads socket.send.buffer.bytes socket.receive.buffer.bytes queued.max.requests controller.quorum.fetch.timeout.ms controller.quorum.election.backoff.max.ms controller.quorum.append.linger.ms controller.quorum.request.timeout.ms controller.quorum.retry.backoff.ms controller.quorum.retry.backoff.max.ms initial.broker.registration.timeout.ms inter.broker.listener.name security.inter.broker.protocol transaction.state.log.replication.factor transaction.state.log.min.isr transaction.state.log.num.partitions share.coordinator.state.topic.replication.factor share.coordinator.state.topic.min.isr log.cleaner.threads offsets.topic.compression.codec offsets.load.buffer.size offsets.commit.timeout.ms group.coordinator.threads group.coordinator.append.linger.ms group.share.max.size group.share.session.timeout.ms group.share.heartbeat.interval.ms log.cleaner.io.buffer.size log.cleaner.io.buffer.load.factor broker.id metadata.log.dir metrics.recording.level"
    .split(" ");

type OwnSetting = (typeof OWN)[number];
type ValueOf<T extends SettingType> = T extends "boolean" ? boolean
  : T extends "int" | "long" | "double" ? number
  : T extends "string" ? string
  : readonly string[];
type ValueFor<S> = S extends
  { readonly type: infer T extends SettingType; readonly default: string } ? ValueOf<T>
  : S extends { readonly type: infer T extends SettingType } ? ValueOf<T> | undefined
  : never;

const TOPIC_DEFAULTS: readonly Setting[] = TOPIC_SETTINGS.flatMap((setting) =>
  "synonym" in setting ? [{ ...setting, name: setting.synonym }] : []
);
const BY_NAME = new Map<string, Setting>(
  [...TOPIC_DEFAULTS, ...OWN].map((setting) => [setting.name, setting]),
);

/** Every setting that has a meaning, for help and for DescribeConfigs. */
export const BROKER_SETTINGS: readonly Setting[] = [...BY_NAME.values()];

export interface SettingProblem {
  readonly kind: "unknown" | "invalid";
  readonly name: string;
  readonly message: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What may be given in larger units instead; the first that is there counts. */
const IN_OTHER_UNITS: ReadonlyMap<string, readonly (readonly [name: string, unitMs: number])[]> =
  new Map([
    ["log.retention.ms", [["log.retention.minutes", MINUTE_MS], ["log.retention.hours", HOUR_MS]]],
    ["log.roll.ms", [["log.roll.hours", HOUR_MS]]],
    ["log.roll.jitter.ms", [["log.roll.jitter.hours", HOUR_MS]]],
  ]);

/** The settings one broker was started with. */
export class BrokerSettings {
  /** Every setting that has a meaning. */
  static readonly known: readonly Setting[] = BROKER_SETTINGS;
  /** Those in which a topic may differ from the broker. */
  static readonly ofTopics: readonly TopicSetting[] = TOPIC_SETTINGS;
  readonly #texts: ReadonlyMap<string, string>;
  /** What was read once: handlers ask for every request. */
  readonly #values = new Map<string, SettingValue | undefined>();

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts;
  }

  /** Every value that is wrong and every name that is unknown, in the order they were given. */
  problems(): readonly SettingProblem[] {
    const problems: SettingProblem[] = [];
    for (const [name, text] of this.#texts) {
      const setting = BY_NAME.get(name);
      if (setting === undefined) {
        if (!IGNORED.includes(name)) problems.push(unknownSetting(name));
        continue;
      }
      const parsed = parseSetting(setting, text);
      if (parsed.kind === "refused") {
        problems.push({ kind: "invalid", name, message: parsed.message });
      }
    }
    const contradiction = problems.length > 0
      ? undefined
      : refuseTogether(new Map(), (name) => this.text(name));
    if (contradiction !== undefined) {
      const name = "log.cleaner.min.compaction.lag.ms";
      problems.push({ kind: "invalid", name, message: contradiction });
    }
    const ofGroups = problems.length > 0 ? undefined : refuseGroupSettings(this);
    if (ofGroups !== undefined) problems.push({ kind: "invalid", ...ofGroups });
    return problems;
  }

  /** The value of one of the broker's own settings; call only after `problems` found none invalid. */
  get<Name extends OwnSetting["name"]>(
    name: Name,
  ): ValueFor<Extract<OwnSetting, { readonly name: Name }>> {
    if (!this.#values.has(name)) this.#values.set(name, this.#value(name));
    return this.#values.get(name) as ValueFor<Extract<OwnSetting, { readonly name: Name }>>;
  }

  /** What was given for a name, as text; units of retention and roll are turned into milliseconds. */
  text(name: string): string | undefined {
    const text = this.#texts.get(name);
    if (text !== undefined) return text;
    for (const [other, unitMs] of IN_OTHER_UNITS.get(name) ?? []) {
      const inMs = this.#inMs(other, unitMs);
      if (inMs !== undefined) return inMs;
    }
    return undefined;
  }

  /** What was given by this very name, as text. */
  given(name: string): string | undefined {
    return this.#texts.get(name);
  }

  /** Names of the settings that say the same in larger units, the first that counts first. */
  static inOtherUnits(name: string): readonly string[] {
    return (IN_OTHER_UNITS.get(name) ?? []).map(([other]) => other);
  }

  #inMs(name: string, unitMs: number): string | undefined {
    const text = this.#texts.get(name);
    if (text === undefined) return undefined;
    return Number(text) < 0 ? "-1" : String(Number(text) * unitMs);
  }

  #value(name: string): SettingValue | undefined {
    const setting = BY_NAME.get(name);
    const text = this.#texts.get(name) ?? setting?.default;
    if (setting === undefined || text === undefined) return undefined;
    const parsed = parseSetting(setting, text);
    return parsed.kind === "value" ? parsed.value : undefined;
  }
}

function unknownSetting(name: string): SettingProblem {
  const nearest = nearestName(name, BY_NAME.keys());
  const hint = nearest === undefined ? "" : `; did you mean '${nearest}'?`;
  return { kind: "unknown", name, message: `Unknown setting '${name}'${hint}` };
}
