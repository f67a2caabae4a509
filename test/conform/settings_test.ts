/** Changing a topic's settings with the admins of kafkajs (the whole set) and @platformatic/kafka. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Admin } from "@platformatic/kafka";
import { createTopic, freshTopic, startSubject, type Subject, withAdmin } from "./subject.ts";

let subject: Subject;
beforeAll(async () => {
  subject = await startSubject();
});
afterAll(() => subject[Symbol.asyncDispose]());

const TOPIC = 2 as const;
const SOURCE_TOPIC = 1;
const SET = 0 as const;
const DELETE = 1 as const;
const APPEND = 2 as const;

type Config = Parameters<
  Admin["incrementalAlterConfigs"]
>[0]["resources"][number]["configs"][number];

/** What the topic has of its own, as kafkajs reads it. */
async function settingsOf(topic: string): Promise<Readonly<Record<string, string>>> {
  return await withAdmin(subject, async (admin) => {
    const resources = [{ type: TOPIC, name: topic }];
    const described = await admin.describeConfigs({ includeSynonyms: false, resources });
    const entries = described.resources[0]?.configEntries ?? [];
    return Object.fromEntries(
      entries.filter((entry) => Number(entry.configSource) === SOURCE_TOPIC)
        .map((entry) => [entry.configName, entry.configValue]).sort(),
    );
  });
}

describe("kafkajs alterConfigs()", () => {
  test("replaces the whole set of a topic", async () => {
    const topic = freshTopic("whole");
    await createTopic(subject, topic);
    await withAdmin(subject, async (admin) => {
      const alter = async (settings: Readonly<Record<string, string>>): Promise<void> => {
        const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
        const resources = [{ type: TOPIC, name: topic, configEntries }];
        await admin.alterConfigs({ validateOnly: false, resources });
      };
      await alter({ "retention.ms": "5", "segment.bytes": "1048576" });
      await alter({ "retention.ms": "6" });
      await expect(alter({ "retention.ms": "many" })).rejects.toThrow();
    });
    expect(await settingsOf(topic)).toEqual({ "retention.ms": "6" });
  });
});

describe("@platformatic/kafka incrementalAlterConfigs()", () => {
  test("changes single settings of a topic", async () => {
    const topic = freshTopic("single");
    await createTopic(subject, topic);
    const admin = new Admin({ clientId: "admin", bootstrapBrokers: [subject.kafka] });
    const alter = async (config: Config): Promise<void> => {
      const resources = [{ resourceType: TOPIC, resourceName: topic, configs: [config] }];
      await admin.incrementalAlterConfigs({ resources, validateOnly: false });
    };
    try {
      await alter({ name: "retention.ms", configOperation: SET, value: "5" });
      await alter({ name: "flush.ms", configOperation: SET, value: "6" });
      await alter({ name: "cleanup.policy", configOperation: APPEND, value: "compact" });
      await alter({ name: "flush.ms", configOperation: DELETE });
      await expect(alter({ name: "segment.bytes", configOperation: APPEND, value: "1" }))
        .rejects.toThrow();
    } finally {
      await admin.close();
    }
    expect(await settingsOf(topic)).toEqual({
      "cleanup.policy": "delete,compact",
      "retention.ms": "5",
    });
  });
});
