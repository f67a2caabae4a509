/**
 * Requests to change settings, good and bad, in the order in which they are sent to one broker; what
 * Kafka answers them is in `alter_configs_answers.json`, written by `record_alter_configs.ts`.
 *
 * A resource that is named twice is not among those for the whole set: Kafka 4.1.1 fails while it
 * answers that (AlterConfigsResponse.errors), and never does.
 *
 * They need two topics without settings of their own, `t` and `u`, on a broker with the id 1.
 */

export interface AlterResource {
  readonly type: number;
  readonly name: string;
  /** Name, value and, for an incremental change, the operation. */
  readonly configs: readonly (readonly [name: string, value: string | null, operation?: number])[];
}

export interface AlterRequest {
  readonly title: string;
  /** The other API replaces the whole set. */
  readonly isIncremental: boolean;
  readonly validateOnly?: boolean;
  readonly resources: readonly AlterResource[];
}

const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;
const TOPIC = 2;

type Config = AlterResource["configs"][number];

function change(title: string, ...configs: readonly Config[]): AlterRequest {
  return { title, isIncremental: true, resources: [{ type: TOPIC, name: "t", configs }] };
}

function replace(title: string, ...configs: readonly Config[]): AlterRequest {
  return { title, isIncremental: false, resources: [{ type: TOPIC, name: "t", configs }] };
}

function to(title: string, type: number, name: string, config: Config): readonly AlterRequest[] {
  const resources = [{ type, name, configs: [config] }];
  return [true, false].map((isIncremental) => ({
    title: `${title}, ${isIncremental ? "incremental" : "whole"}`,
    isIncremental,
    resources,
  }));
}

const RETENTION: Config = ["retention.ms", "1000", SET];

export const ALTER_REQUESTS: readonly AlterRequest[] = [
  change("set", RETENTION),
  change("set what is set", RETENTION),
  change("set several", ["segment.bytes", "1048576", SET], ["flush.ms", "5", SET]),
  change("one bad of two changes nothing", ["flush.ms", "6", SET], ["segment.bytes", "1", SET]),
  change("delete", ["flush.ms", null, DELETE]),
  change("delete what is not set", ["flush.ms", null, DELETE]),
  change("delete with a value", ["segment.bytes", "5", DELETE]),
  change("delete an unknown name", ["no.such.setting", null, DELETE]),
  change("delete an empty name", ["", null, DELETE]),
  change("set an unknown name", ["no.such.setting", "1", SET]),
  change("set an empty name", ["", "1", SET]),
  change("append to a default", ["cleanup.policy", "compact", APPEND]),
  change("append what is there", ["cleanup.policy", "compact", APPEND]),
  change("subtract", ["cleanup.policy", "delete", SUBTRACT]),
  change("subtract what is not there", ["cleanup.policy", "delete", SUBTRACT]),
  change("subtract the last", ["cleanup.policy", "compact", SUBTRACT]),
  change("append to an empty list", ["cleanup.policy", "delete,compact", APPEND]),
  change("append with blanks", ["cleanup.policy", " delete", APPEND]),
  change("set a list", ["cleanup.policy", "compact,delete", SET]),
  change("append nothing", ["cleanup.policy", "", APPEND]),
  change("append an unknown element", ["cleanup.policy", "shrink", APPEND]),
  change("append to what is no list", ["retention.ms", "1", APPEND]),
  change("subtract from what is no list", ["retention.ms", "1", SUBTRACT]),
  change("append to an unknown name", ["no.such.setting", "1", APPEND]),
  change("set null", ["retention.ms", null, SET]),
  change("append null", ["cleanup.policy", null, APPEND]),
  change("an operation that is none", ["retention.ms", "1", 9]),
  change("a negative operation", ["retention.ms", "1", -1]),
  change("one name twice", ["flush.ms", "1", SET], ["flush.ms", "2", SET]),
  change("one name set and deleted", ["flush.ms", "1", SET], ["flush.ms", null, DELETE]),
  change("no names"),
  change("a word for a number", ["retention.ms", "long", SET]),
  change("below the bound", ["retention.ms", "-2", SET]),
  change("beyond long", ["retention.ms", "9223372036854775808", SET]),
  change("beyond int", ["segment.bytes", "2147483648", SET]),
  change("below the bound of an int", ["segment.bytes", "1048575", SET]),
  change("a number for a word", ["preallocate", "1", SET]),
  change("a word that is none of those", ["compression.type", "brotli", SET]),
  change("a double beyond its bound", ["min.cleanable.dirty.ratio", "1.5", SET]),
  change("a double that is none", ["min.cleanable.dirty.ratio", "half", SET]),
  change("a level between none and the least", ["compression.gzip.level", "0", SET]),
  change("a level of gzip beyond", ["compression.gzip.level", "10", SET]),
  change("replicas that are none", ["leader.replication.throttled.replicas", "1", SET]),
  change("the lags the wrong way round", ["min.compaction.lag.ms", "10", SET], [
    "max.compaction.lag.ms",
    "9",
    SET,
  ]),
  change("one lag", ["max.compaction.lag.ms", "100", SET]),
  change("the other lag against what is set", ["min.compaction.lag.ms", "101", SET]),
  change("an object store that is not there", ["remote.storage.enable", "true", SET]),
  change("no copying to an object store that is not there", [
    "remote.log.copy.disable",
    "true",
    SET,
  ]),
  change("local retention beyond the whole", ["local.retention.ms", "2000", SET]),
  change("preallocate", ["preallocate", "true", SET]),
  change("a blank around a number", ["flush.ms", " 7 ", SET]),
  {
    ...change("only asked", ["segment.ms", "5", SET]),
    validateOnly: true,
  },
  {
    ...change("only asked, and wrong", ["segment.ms", "0", SET]),
    validateOnly: true,
  },
  {
    ...replace("only asked for the whole", ["segment.ms", "5"]),
    validateOnly: true,
  },
  replace("one wrong of the whole", ["retention.ms", "2000"], ["segment.bytes", "1"]),
  replace("null in the whole", ["retention.ms", null]),
  replace("a name twice in the whole", ["flush.ms", "1"], ["flush.ms", "1"]),
  replace("an unknown name in the whole", ["no.such.setting", "1"]),
  replace("the whole", ["retention.ms", "2000"], ["cleanup.policy", "compact"]),
  replace("the empty whole"),
  ...to("an unknown topic", TOPIC, "missing", RETENTION),
  ...to("an unknown topic with a bad value", TOPIC, "missing", ["retention.ms", "x", SET]),
  ...to("an empty topic", TOPIC, "", RETENTION),
  ...to("a topic name that is none", TOPIC, "no/name", RETENTION),
  ...to("unknown resource type", 0, "t", RETENTION),
  ...to("resource type that is none", 3, "t", RETENTION),
  ...to("another broker", 4, "2", ["log.cleaner.threads", "1", SET]),
  ...to("a broker that is no number", 4, "one", ["log.cleaner.threads", "1", SET]),
  ...to("a broker's setting that is not dynamic", 4, "1", ["log.dirs", "/x", SET]),
  ...to("a broker logger", 8, "1", ["kafka.server", "INFO", SET]),
  {
    title: "a resource twice, another once",
    isIncremental: true,
    resources: [
      { type: TOPIC, name: "t", configs: [RETENTION] },
      { type: TOPIC, name: "u", configs: [RETENTION] },
      { type: TOPIC, name: "t", configs: [["flush.ms", "1", SET]] },
    ],
  },
  {
    title: "several resources, one of them bad",
    isIncremental: true,
    resources: [
      { type: TOPIC, name: "t", configs: [["segment.ms", "77", SET]] },
      { type: TOPIC, name: "missing", configs: [["segment.ms", "77", SET]] },
      { type: TOPIC, name: "u", configs: [["segment.ms", "0", SET]] },
    ],
  },
  { title: "no resources", isIncremental: true, resources: [] },
];

export interface AlterAnswer {
  readonly title: string;
  /** Per resource, in the order of the answer. */
  readonly answers: readonly {
    readonly type: number;
    readonly name: string;
    readonly errorCode: number;
    readonly message: string | null;
  }[];
  /** The settings that `t` has of its own after it: `name=value`, in the order of their names. */
  readonly settings: readonly string[];
}
