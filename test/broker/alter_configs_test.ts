/**
 * Changing a topic's settings: the answers against Kafka's, what is described and kept. What a change
 * does to a running broker is in `live_settings_test.ts`.
 */
import { describe, expect, test } from "bun:test";
import { alterConfigs } from "../../src/api/alter_configs.ts";
import { createTopics } from "../../src/api/create_topics.ts";
import { describeConfigs } from "../../src/api/describe_configs.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import type { ResponseOf } from "../../src/api/schema.ts";
import { exchange } from "../golden/alter_configs_exchange.ts";
import kafkaAnswers from "../golden/alter_configs_answers.json" with { type: "json" };
import type { AlterAnswer } from "../golden/alter_configs_requests.ts";
import { batchOf, type RawConnection, startBroker } from "./broker_fixture.ts";
import { alterTopic, brokerWith, createTopic, produceTo } from "./topic_requests.ts";

const TOPIC = 2;
const SET = 0;

type Described = ResponseOf<typeof describeConfigs>["results"][number]["configs"][number];

async function described(
  connection: RawConnection,
  topic: string,
  name: string,
): Promise<Described> {
  const { results } = await connection.ask(describeConfigs, 4, {
    resources: [{ resourceType: TOPIC, resourceName: topic, configurationKeys: [name] }],
    includeSynonyms: true,
    includeDocumentation: true,
  });
  return results[0]?.configs[0] as Described;
}

/** Where the answer is another than Kafka's, on purpose: by title, the code and the reason. */
const DEVIATIONS: ReadonlyMap<string, readonly [errorCode: number, why: string]> = new Map([
  ["an operation that is none", [
    ErrorCode.InvalidRequest,
    "Kafka fails inside and says UNKNOWN_SERVER_ERROR",
  ]],
  ["a negative operation", [
    ErrorCode.InvalidRequest,
    "Kafka fails inside and says UNKNOWN_SERVER_ERROR",
  ]],
  ["a broker logger, incremental", [ErrorCode.InvalidRequest, "there are no loggers"]],
]);

/** Kafka keeps an element with a blank beside the same without one. */
const OTHER_SETTINGS: ReadonlyMap<string, readonly string[]> = new Map([
  ["append with blanks", ["cleanup.policy=delete,compact", "retention.ms=1000"]],
]);

/** What the sentence says of the value is Kafka's, what would be right is said in our words. */
function beginning(message: string | null): string {
  return (message ?? "").split(": ")[0] as string;
}

/** Sentences that are ours alone: they say what to do instead. */
const OWN_WORDS =
  /^(Tiered Storage|Cannot update these|Logger |Topic name is invalid|Invalid value|Unknown resource type 8)/;

describe("AlterConfigs and IncrementalAlterConfigs", () => {
  test("answer as a real Kafka has answered", async () => {
    const { connection } = await brokerWith();
    await createTopic(connection, "u");
    const kafka: readonly AlterAnswer[] = kafkaAnswers;
    const ours = await exchange(connection);
    expect(ours.map(({ title }) => title)).toEqual(kafka.map(({ title }) => title));
    for (const [index, { title, answers, settings }] of kafka.entries()) {
      const [otherCode] = DEVIATIONS.get(title) ?? [];
      const got = ours[index] as AlterAnswer;
      expect([title, ...got.answers.map(({ errorCode }) => errorCode)])
        .toEqual([title, ...answers.map(({ errorCode }) => otherCode ?? errorCode)]);
      expect([title, ...got.settings]).toEqual([title, ...OTHER_SETTINGS.get(title) ?? settings]);
      for (const [at, { message }] of answers.entries()) {
        const said = got.answers[at]?.message ?? null;
        if (message === null) expect(said === null || DEVIATIONS.has(title)).toBeTrue();
        else if (!OWN_WORDS.test(message)) expect(beginning(said)).toContain(beginning(message));
        else expect(said).toMatch(/must be|Cannot|topic name|mq has none/);
      }
    }
  });

  test("a resource that is named twice is refused in the whole set too", async () => {
    const { connection } = await brokerWith();
    const resource = { resourceType: TOPIC, resourceName: "t", configs: [] };
    for (const version of [0, 2]) {
      const { responses } = await connection.ask(alterConfigs, version, {
        resources: [resource, resource],
        validateOnly: false,
      });
      expect(responses.map(({ errorCode }) => errorCode))
        .toEqual([ErrorCode.InvalidRequest, ErrorCode.InvalidRequest]);
    }
  });

  test("a change is described at once, with what it hides, and holds after a restart", async () => {
    const first = await startBroker({ "log.retention.hours": "1" });
    const connection = await first.dial();
    await createTopic(connection, "t");
    const before = await described(connection, "t", "retention.ms");
    expect([before.value, before.configSource]).toEqual(["3600000", 4]);
    await alterTopic(connection, "t", {
      "retention.ms": " 070 ",
      "min.cleanable.dirty.ratio": "1",
    });
    const after = await described(connection, "t", "retention.ms");
    expect([after.value, after.configSource, after.configType, after.readOnly])
      .toEqual(["70", 1, 5, false]);
    expect(after.documentation).toMatch(/Milliseconds/);
    expect(after.synonyms).toEqual([
      { name: "retention.ms", value: "70", source: 1 },
      { name: "log.retention.hours", value: "1", source: 4 },
      { name: "log.retention.ms", value: "604800000", source: 5 },
    ]);
    expect((await described(connection, "t", "min.cleanable.dirty.ratio")).value).toBe("1.0");
    first.broker.halt();
    const second = await startBroker({}, first.disk.kill());
    const again = await second.dial();
    expect((await described(again, "t", "retention.ms")).value).toBe("70");
    await produceTo(again, "t", batchOf(["x"]));
    await alterTopic(again, "t", { "max.message.bytes": "10" });
    second.broker.halt();
    const third = await (await startBroker({}, second.disk.kill())).dial();
    expect((await produceTo(third, "t", batchOf(["x"]))).errorCode)
      .toBe(ErrorCode.MessageTooLarge);
  });

  test("a disk without room for metadata refuses it, and the broker goes on", async () => {
    const { connection, disk } = await brokerWith();
    disk.failNext("write", "no-space");
    const resources = [{
      resourceType: TOPIC,
      resourceName: "t",
      configs: [{ name: "retention.ms", configOperation: SET, value: "5" }],
    }];
    const { responses } = await connection.ask(incrementalAlterConfigs, 0, {
      resources,
      validateOnly: false,
    });
    expect(responses[0]?.errorCode).toBe(ErrorCode.KafkaStorageError);
    expect((await described(connection, "t", "retention.ms")).configSource).toBe(5);
    await alterTopic(connection, "t", { "retention.ms": "5" });
    expect((await described(connection, "t", "retention.ms")).value).toBe("5");
  });

  test("CreateTopics refuses what contradicts itself, as a later change would", async () => {
    const { connection } = await brokerWith();
    const configs = [{ name: "min.compaction.lag.ms", value: "2" }, {
      name: "max.compaction.lag.ms",
      value: "1",
    }];
    const { topics } = await connection.ask(createTopics, 7, {
      topics: [{ name: "x", numPartitions: 1, replicationFactor: 1, assignments: [], configs }],
      timeoutMs: 1000,
    });
    expect(topics[0]?.errorCode).toBe(ErrorCode.InvalidConfig);
  });
});
