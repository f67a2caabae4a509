/** @platformatic/kafka: every codec through its producer, read back by its fetch. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Producer, stringSerializers } from "@platformatic/kafka";
import { batchesOf, recordsOf } from "./platformatic.ts";
import {
  codecs,
  createTopic,
  freshTopic,
  sampleLines,
  startSubject,
  type Subject,
} from "./subject.ts";

let subject: Subject;
beforeAll(async () => {
  subject = await startSubject();
});
afterAll(() => subject[Symbol.asyncDispose]());

describe("@platformatic/kafka", () => {
  const values = sampleLines(500).split("\n").filter((line) => line !== "");

  for (const [id, codec] of codecs.entries()) {
    test(`gets back what it produced with ${codec}`, async () => {
      const topic = freshTopic(codec);
      await createTopic(subject, topic);
      const producer = new Producer({
        clientId: "writer",
        bootstrapBrokers: [subject.kafka],
        serializers: stringSerializers,
      });
      try {
        await producer.send({
          messages: values.map((value, index) => ({
            topic,
            partition: 0,
            key: `key ${index}`,
            value,
            headers: { h: String(index) },
          })),
          acks: -1,
          compression: codec,
        });
      } finally {
        await producer.close();
      }
      const expected = values.map((value, index) => ({
        key: `key ${index}`,
        value,
        headers: [["h", String(index)]],
      }));
      expect(await recordsOf(subject, topic)).toEqual(expected);
      const batches = await batchesOf(subject, topic);
      expect(batches.map(({ attributes }) => attributes & 7)).toEqual([id]);
    });
  }
});
