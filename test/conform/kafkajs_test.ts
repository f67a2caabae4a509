/** kafkajs: topics through its admin, producing with keys, headers and gzip, offsets. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { CompressionTypes } from "kafkajs";
import { freshTopic, kafkajs, startSubject, type Subject, withAdmin } from "./subject.ts";
import { recordsOf } from "./platformatic.ts";

let subject: Subject;
beforeAll(async () => {
  subject = await startSubject();
});
afterAll(() => subject[Symbol.asyncDispose]());

describe("kafkajs admin", () => {
  test("creates, lists, describes and deletes topics", async () => {
    const topic = freshTopic("admin");
    await withAdmin(subject, async (admin) => {
      const wanted = { topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] };
      expect(await admin.createTopics(wanted)).toBe(true);
      expect(await admin.createTopics(wanted)).toBe(false); // it is there
      expect(await admin.listTopics()).toContain(topic);
      const described = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = described.topics[0]?.partitions ?? [];
      expect(partitions.map(({ partitionId }) => partitionId).sort()).toEqual([0, 1, 2]);
      await admin.deleteTopics({ topics: [topic] });
      expect(await admin.listTopics()).not.toContain(topic);
    });
  });

  test("is told what is wrong with a topic", async () => {
    await withAdmin(subject, async (admin) => {
      const bad = { topic: "no spaces allowed", numPartitions: 1, replicationFactor: 1 };
      await expect(admin.createTopics({ topics: [bad] })).rejects.toThrow();
      await expect(admin.deleteTopics({ topics: [freshTopic("missing")], timeout: 1000 }))
        .rejects.toThrow(/does not host this topic-partition/);
    });
  });

  test("deletes records up to an offset, and is told where that cannot be", async () => {
    const topic = freshTopic("trim");
    await withAdmin(subject, async (admin) => {
      await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
      const producer = kafkajs(subject).producer();
      await producer.connect();
      const messages = Array.from({ length: 5 }, (_, index) => ({
        value: String(index),
        partition: 0,
      }));
      await producer.send({ topic, messages });
      await producer.disconnect();
      const low = async (): Promise<readonly string[]> => {
        const offsets = await admin.fetchTopicOffsets(topic);
        return offsets.toSorted((one, other) => one.partition - other.partition)
          .map((one) => `${one.low}-${one.high}`);
      };
      expect(await low()).toEqual(["0-5", "0-0"]); // kafkajs looks for leaders before it asks for them
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "3" }] });
      expect(await low()).toEqual(["3-5", "0-0"]);
      const beyond = [{ partition: 1, offset: "7" }];
      await expect(admin.deleteTopicRecords({ topic, partitions: beyond })).rejects.toThrow();
      expect(await low()).toEqual(["3-5", "0-0"]);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "-1" }] });
      expect(await low()).toEqual(["5-5", "0-0"]);
    });
  });

  test("reads a topic's settings and the cluster", async () => {
    const topic = freshTopic("settings");
    await withAdmin(subject, async (admin) => {
      const configEntries = [{ name: "max.message.bytes", value: "200000" }];
      await admin.createTopics({
        topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }],
      });
      const resources = [{ type: 2, name: topic, configNames: ["max.message.bytes"] }];
      const described = await admin.describeConfigs({ includeSynonyms: false, resources });
      expect(described.resources[0]?.configEntries[0]?.configValue).toBe("200000");
      const cluster = await admin.describeCluster();
      expect(cluster.brokers.map(({ host, port }) => `${host}:${port}`)).toEqual([subject.kafka]);
    });
  });
});

describe("kafkajs producer", () => {
  for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
    for (const isIdempotent of [false, true]) {
      const how = `codec ${compression}${isIdempotent ? ", idempotent" : ""}`;
      test(`writes keys, values, nulls and headers: ${how}`, async () => {
        const topic = freshTopic("produce");
        const producer = kafkajs(subject).producer({ idempotent: isIdempotent });
        await producer.connect();
        const messages = [
          { key: "k", value: "größe", headers: { h: "1" } },
          { key: null, value: "" },
          { key: "gone", value: null },
        ];
        await withAdmin(subject, async (admin) => {
          await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
          const sent = await producer.send({ topic, messages, compression });
          expect(sent[0]?.baseOffset).toBe("0");
          await producer.disconnect();
          expect((await admin.fetchTopicOffsets(topic))[0]?.high).toBe("3");
        });
        expect(await recordsOf(subject, topic)).toEqual([
          { key: "k", value: "größe", headers: [["h", "1"]] },
          { key: null, value: "", headers: [] },
          { key: "gone", value: null, headers: [] },
        ]);
      });
    }
  }
});
