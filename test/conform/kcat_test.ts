/** kcat (librdkafka) on either side of the broker, with every codec; skipped where it is absent. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mq } from "../harness/broker.ts";
import { hasTool, run } from "../harness/process.ts";
import {
  codecs,
  createTopic,
  freshTopic,
  isOwn,
  sampleLines,
  startSubject,
  type Subject,
} from "./subject.ts";

const hasKcat = await hasTool("kcat");
const kcatTest = test.skipIf(!hasKcat);
const ownTest = test.skipIf(!hasKcat || !isOwn);
const LINES = 5000;

let subject: Subject;
beforeAll(async () => {
  subject = await startSubject();
});
afterAll(() => subject[Symbol.asyncDispose]());

async function kcat(words: readonly string[], input = ""): Promise<string> {
  const result = await run("kcat", ["-b", subject.kafka, ...words], { input });
  expect(result.status, result.stderr).toBe(0);
  return result.text;
}

/** All of a topic's values, a line each, in the order of the one partition. */
function kcatReads(topic: string): Promise<string> {
  return kcat(["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X", "check.crcs=true"]);
}

describe("kcat", () => {
  const lines = sampleLines(LINES);

  for (const codec of codecs) {
    kcatTest(`gets back what it produced with ${codec}`, async () => {
      const topic = freshTopic(codec);
      await createTopic(subject, topic);
      await kcat(["-P", "-t", topic, "-z", codec], lines);
      expect(await kcatReads(topic)).toBe(lines);
    });

    ownTest(`and mq read each other with ${codec}`, async () => {
      const topic = freshTopic(codec);
      await createTopic(subject, topic);
      await kcat(["-P", "-t", topic, "-z", codec], lines);
      const read = await mq(["consume", topic, "-o", "start:end"], subject);
      expect(read.stderr).toBe("");
      expect(read.text).toBe(lines);
      const produced = await mq(["produce", topic, "-z", codec, "-q"], subject, { input: lines });
      expect(produced.status, produced.stderr).toBe(0);
      expect(await kcatReads(topic)).toBe(lines + lines);
    });
  }

  kcatTest("keeps keys, headers, nulls and the partition", async () => {
    const topic = freshTopic("fields");
    await createTopic(subject, topic);
    const produce = ["-P", "-t", topic, "-p", "0", "-K", ":", "-H", "a=1", "-H", "a=2"];
    await kcat(produce, "k1:v1\nk2:v2\n");
    await kcat(["-P", "-t", topic, "-Z", "-K", ":"], "k3:\n");
    const format = "%p %o %k %S %h\\n";
    const read = await kcat(["-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", format]);
    expect(read).toBe("0 0 k1 2 a=1,a=2\n0 1 k2 2 a=1,a=2\n0 2 k3 -1 \n");
  });

  kcatTest("produces with idempotence and without acknowledgement", async () => {
    const topic = freshTopic("acks");
    await createTopic(subject, topic);
    await kcat(["-P", "-t", topic, "-X", "enable.idempotence=true"], "a\n");
    await kcat(["-P", "-t", topic, "-X", "acks=1"], "b\n");
    await kcat(["-P", "-t", topic, "-X", "acks=all"], "c\n");
    expect(await kcatReads(topic)).toBe("a\nb\nc\n");
  });

  kcatTest("reads from offsets and from the end", async () => {
    const topic = freshTopic("offsets");
    await createTopic(subject, topic);
    await kcat(["-P", "-t", topic], "a\nb\nc\n");
    expect(await kcat(["-C", "-t", topic, "-o", "1", "-e", "-q"])).toBe("b\nc\n");
    expect(await kcat(["-C", "-t", topic, "-o", "-1", "-e", "-q"])).toBe("c\n");
    expect(await kcat(["-C", "-t", topic, "-o", "s@1", "-e", "-q"])).toBe("a\nb\nc\n");
    expect(await kcat(["-Q", "-t", `${topic}:0:-1`])).toMatch("offset 3");
    expect(await kcat(["-Q", "-t", `${topic}:0:-2`])).toMatch("offset 0");
  });

  kcatTest("lists the broker and its topics", async () => {
    const topic = freshTopic("list");
    await createTopic(subject, topic);
    const listing = JSON.parse(await kcat(["-L", "-J"]));
    expect(listing.brokers.map((broker: { name: string }) => broker.name)).toEqual([subject.kafka]);
    const entry = listing.topics.find((each: { topic: string }) => each.topic === topic);
    expect(entry.partitions).toHaveLength(1);
    expect(entry.partitions[0].leader).toBe(listing.brokers[0].id);
  });
});
