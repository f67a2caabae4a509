import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { parseUuid, type Uuid } from "../../src/ground/uuid.ts";
import {
  type AlterConfigsRequest,
  type AlteredResource,
  CONFIG_OPERATION,
  type ConfigChange,
  decideAlterConfigs,
} from "../../src/metadata/decide/alter_configs.ts";
import { decideRegisterBroker } from "../../src/metadata/decide/register_broker.ts";
import { METADATA_VERSION } from "../../src/metadata/feature.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";
import { registration } from "./cluster.ts";

const TOPIC = 2;
const { set, delete: remove, append, subtract } = CONFIG_OPERATION;

class Cluster {
  readonly image = new ClusterImage();
  readonly broker = new Map<string, string>();
  written: readonly MetadataRecord[] = [];

  constructor() {
    const topicId = parseUuid("AAAAAAAAAAAAAAAAAAAAAQ") as Uuid;
    this.#replay([{ kind: "topic", version: 0, name: "t", topicId }]);
  }

  alter(
    configs: readonly ConfigChange[],
    options: Partial<AlterConfigsRequest> = {},
  ): AlteredResource {
    const { records, reply } = decideAlterConfigs(this.image, {
      resources: [{ resourceType: TOPIC, resourceName: "t", configs }],
      isWholeSet: false,
      validateOnly: false,
      brokerValue: (synonym) => this.broker.get(synonym),
      ...options,
    });
    this.written = records;
    this.#replay(records);
    return reply[0] as AlteredResource;
  }

  register(brokerId: number): void {
    const { records } = decideRegisterBroker(this.image, registration(brokerId));
    this.#replay(records);
  }

  get settings(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.image.topic("t")?.config ?? []);
  }

  replay(record: MetadataRecord): void {
    this.#replay([record]);
  }

  #replay(records: readonly MetadataRecord[]): void {
    for (const record of records) this.image.replay(toOffset(this.image.nextOffset), record);
  }
}

function to(name: string, value: string | null, configOperation: number = set): ConfigChange {
  return { name, value, configOperation };
}

describe("decideAlterConfigs()", () => {
  test("writes what changes, and nothing for what does not", () => {
    const cluster = new Cluster();
    cluster.alter([to("retention.ms", "5"), to("segment.ms", "6")]);
    cluster.alter([to("retention.ms", "5"), to("segment.ms", null, remove)]);
    expect(cluster.written.map((record) => record.kind === "config" && record.name))
      .toEqual(["segment.ms"]);
    expect(cluster.settings).toEqual({ "retention.ms": "5" });
    cluster.alter([to("flush.ms", null, remove)]);
    expect(cluster.written).toHaveLength(0);
  });

  test("changes a resource whole or not at all", () => {
    const cluster = new Cluster();
    const { errorCode, errorMessage } = cluster.alter([
      to("retention.ms", "5"),
      to("segment.ms", "0"),
    ]);
    expect(errorCode).toBe(ErrorCode.InvalidConfig);
    expect(errorMessage)
      .toBe("Invalid value 0 for configuration segment.ms: it must be a whole number, 1 or more");
    expect(cluster.settings).toEqual({});
  });

  test("takes a list that is not set from the broker, else from the default", () => {
    const cluster = new Cluster();
    cluster.alter([to("cleanup.policy", "compact", append)]);
    expect(cluster.settings).toEqual({ "cleanup.policy": "delete,compact" });
    const other = new Cluster();
    other.broker.set("log.cleanup.policy", "compact");
    other.alter([to("cleanup.policy", "compact", subtract)]);
    expect(other.settings).toEqual({ "cleanup.policy": "" });
  });

  test("a list never has an element twice, whatever blanks surround it", () => {
    const cluster = new Cluster();
    cluster.alter([to("cleanup.policy", " delete , compact", append)]);
    expect(cluster.settings).toEqual({ "cleanup.policy": "delete,compact" });
    cluster.alter([to("cleanup.policy", " delete", subtract)]);
    expect(cluster.settings).toEqual({ "cleanup.policy": "compact" });
  });

  test("a whole set takes away what it does not name", () => {
    const cluster = new Cluster();
    cluster.alter([to("retention.ms", "5"), to("segment.ms", "6")]);
    cluster.alter([to("segment.ms", "7")], { isWholeSet: true });
    expect(cluster.settings).toEqual({ "segment.ms": "7" });
  });

  test("with validateOnly nothing is written, and what is wrong is told", () => {
    const cluster = new Cluster();
    const asked = { validateOnly: true };
    expect(cluster.alter([to("segment.ms", "7")], asked).errorCode).toBe(ErrorCode.None);
    expect(cluster.alter([to("segment.ms", "x")], asked).errorCode).toBe(ErrorCode.InvalidConfig);
    expect(cluster.settings).toEqual({});
  });

  test("settings that contradict each other are refused, also against the broker's", () => {
    const cluster = new Cluster();
    cluster.broker.set("log.cleaner.max.compaction.lag.ms", "10");
    const { errorCode, errorMessage } = cluster.alter([to("min.compaction.lag.ms", "11")]);
    expect(errorCode).toBe(ErrorCode.InvalidConfig);
    expect(errorMessage).toMatch(/min\.compaction\.lag\.ms \(11\) > .*\(10\)/);
    expect(cluster.alter([to("min.compaction.lag.ms", "10")]).errorCode).toBe(ErrorCode.None);
  });

  test("other resources than topics and groups are refused, and where to go instead is said", () => {
    const cluster = new Cluster();
    cluster.register(1);
    const reasons = new Map([[4, /settings file/], [8, /loggers/], [16, /metrics/]]);
    for (const [resourceType, reason] of reasons) {
      const configs = [to("log.cleaner.threads", "2")];
      const resources = [{ resourceType, resourceName: "1", configs }];
      const { errorCode, errorMessage } = cluster.alter([], { resources });
      expect(errorCode).toBe(ErrorCode.InvalidRequest);
      expect(errorMessage).toMatch(reason);
    }
  });

  test("settings of a group are changed whether or not it is there, within the broker's bounds", () => {
    const cluster = new Cluster();
    cluster.register(1);
    const alter = (configs: readonly ConfigChange[], options = {}): unknown => {
      const resources = [{ resourceType: 32, resourceName: "g", configs }];
      const { errorCode, errorMessage } = cluster.alter([], { resources, ...options });
      return errorCode === ErrorCode.None ? "done" : errorMessage;
    };
    const session = "consumer.session.timeout.ms";
    const interval = "consumer.heartbeat.interval.ms";
    expect(alter([to(session, "50000")])).toMatch(/metadata.version is 1, and it needs level 3/);
    cluster.replay({ kind: "feature-level", version: 0, name: METADATA_VERSION, level: 3 });
    expect(alter([to(session, "50000")])).toBe("done");
    expect(alter([to(session, "44999")])).toMatch(/or equal to group.consumer.min.session/);
    expect(alter([to(session, "60001")])).toMatch(/or equal to group.consumer.max.session/);
    expect(alter([to(interval, "4999")])).toMatch(/equal to group.consumer.min.heartbeat/);
    expect(alter([to(session, "long")])).toMatch(/it must be a whole number/);
    expect(alter([to("consumer.session.timeout", "1")])).toMatch(/did you mean 'consumer.session/);
    expect(alter([to(session, "1", append)])).toMatch(/Can't APPEND/);
    const brokerValue = (name: string): string | undefined =>
      name === "group.consumer.min.session.timeout.ms" ? "1000" : undefined;
    expect(alter([to(session, "4000")], { brokerValue })).toMatch(
      /must be greater than consumer.h/,
    );
    expect(Object.fromEntries(cluster.image.groupConfig("g"))).toEqual({ [session]: "50000" });
    expect(alter([to(interval, "6000")], { isWholeSet: true })).toBe("done");
    expect(Object.fromEntries(cluster.image.groupConfig("g"))).toEqual({ [interval]: "6000" });
    expect(cluster.written.every((record) => record.kind === "config" && record.version === 2))
      .toBeTrue();
    const nameless = [{ resourceType: 32, resourceName: "", configs: [to(session, "50000")] }];
    expect(cluster.alter([], { resources: nameless }).errorMessage)
      .toBe("Default group resources are not allowed.");
  });

  test("an answer does not grow with what was sent", () => {
    const cluster = new Cluster();
    const long = "x".repeat(32_000);
    for (
      const configs of [
        [to(long, "1")],
        [to(long, null)],
        [to(long, "1", append)],
        [to("retention.ms", long)],
        [to("cleanup.policy", long)],
        [to("leader.replication.throttled.replicas", long)],
      ]
    ) {
      expect(cluster.alter(configs).errorMessage?.length).toBeLessThan(400);
    }
    const resources = [{ resourceType: 4, resourceName: long, configs: [] }];
    expect(cluster.alter([], { resources }).errorMessage?.length).toBeLessThan(400);
  });

  test("a broker's settings are refused by its own id, whichever node decides", () => {
    const cluster = new Cluster();
    cluster.register(2);
    cluster.register(3);
    const messageOf = (resourceName: string): string | null => {
      const resources = [{ resourceType: 4, resourceName, configs: [] }];
      return cluster.alter([], { resources }).errorMessage;
    };
    expect(messageOf("3")).toMatch(/^Cannot change settings of broker 3 while it runs: /);
    expect(messageOf("")).toMatch(/^Cannot change settings of all brokers while they run: /);
    expect(messageOf("7")).toBe("Unexpected broker id, expected 2, 3, but received 7");
  });

  test("only the first of many wrong names gets a suggestion, which takes time to find", () => {
    const cluster = new Cluster();
    const { reply } = decideAlterConfigs(cluster.image, {
      resources: Array.from({ length: 50 }, (_, index) => ({
        resourceType: TOPIC,
        resourceName: `t${index}`,
        configs: [to("retention.m", "1")],
      })),
      isWholeSet: false,
      validateOnly: false,
      brokerValue: () => undefined,
    });
    const suggested = reply.filter(({ errorMessage }) => errorMessage?.includes("did you mean"));
    expect(suggested).toHaveLength(10);
  });

  test("a request with megabytes of values is refused before any is looked at", () => {
    const cluster = new Cluster();
    const value = "1:1,".repeat(8000);
    const resources = Array.from({ length: 200 }, (_, index) => ({
      resourceType: TOPIC,
      resourceName: index === 0 ? "t" : `t${index}`,
      configs: [to("leader.replication.throttled.replicas", value)],
    }));
    expect(cluster.alter([], { resources }).errorCode).toBe(ErrorCode.PolicyViolation);
    expect(cluster.alter([], { resources: resources.slice(0, 100) }).errorCode)
      .toBe(ErrorCode.None);
  });
});
