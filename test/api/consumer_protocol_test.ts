/**
 * Subscriptions and assignments as bytes.
 *
 * `kafka_4_1_consumer_protocol_bytes.json` holds lines of name, "data", version and the bytes behind
 * the version, which the generated classes of Apache Kafka 4.1.1 have read and written back equal.
 */
import { describe, expect, test } from "bun:test";
import {
  type Assignment,
  readAssignment,
  readSubscription,
  type Subscription,
  type TopicPartitions,
  writeAssignment,
  writeSubscription,
} from "../../src/api/consumer_protocol.ts";
import { Prng } from "../../src/ground/prng.ts";
import { bytesOfHex, hexOf } from "../wire/hex.ts";
import { seedOf } from "../wire/random_message.ts";
import kafkaBytes from "../golden/kafka_4_1_consumer_protocol_bytes.json" with { type: "json" };

const VERSIONS = [0, 1, 2, 3];
const TEXTS = ["a", "orders", "größe", "主题", "\u{1f980}", "x".repeat(249)];

/** The bytes that Kafka has written of this name and version, with the version before them. */
function kafkaBytesOf(name: string, version: number): Uint8Array[] {
  return kafkaBytes
    .map((line) => line.split(" ") as [string, string, string, string])
    .filter(([lineName, , lineVersion]) => lineName === name && Number(lineVersion) === version)
    .map(([, , , hex]) => bytesOfHex(`000${version}${hex}`));
}

function randomTopics(prng: Prng): string[] {
  const topics = Array.from({ length: prng.below(5) }, () => TEXTS[prng.below(TEXTS.length)] ?? "");
  return [...new Set(topics)].sort();
}

function randomPartitions(prng: Prng): TopicPartitions[] {
  return randomTopics(prng).map((topic) => ({
    topic,
    partitions: Array.from({ length: prng.below(4) }, () => prng.u32() | 0),
  }));
}

function randomUserData(prng: Prng): Uint8Array | null {
  return prng.oneIn(2) ? null : prng.bytes(prng.below(30));
}

function randomSubscription(prng: Prng, version: number): Subscription {
  return {
    version,
    topics: randomTopics(prng),
    userData: randomUserData(prng),
    ownedPartitions: version >= 1 ? randomPartitions(prng) : [],
    generationId: version >= 2 ? prng.between(-1, 1000) : -1,
    rackId: version >= 3 && prng.oneIn(2) ? "rack-b" : null,
  };
}

describe("readSubscription()", () => {
  test("reads what Kafka has written, and it is written as Kafka does", () => {
    for (const version of VERSIONS) {
      const known = kafkaBytesOf("ConsumerProtocolSubscription", version);
      expect(known).toHaveLength(3);
      for (const bytes of known) {
        const subscription = readSubscription(bytes) as Subscription;
        expect(subscription.version).toBe(version);
        expect(hexOf(writeSubscription(subscription, version))).toBe(hexOf(bytes));
      }
    }
  });

  test("gives every field of version 3", () => {
    const [, bytes] = kafkaBytesOf("ConsumerProtocolSubscription", 3);
    expect(readSubscription(bytes as Uint8Array)).toEqual({
      version: 3,
      topics: ["a", "orders", "ü.größe"],
      userData: new Uint8Array([1, 2, 3]),
      ownedPartitions: [
        { topic: "a", partitions: [] },
        { topic: "orders", partitions: [0, 5, 2147483647] },
      ],
      generationId: 41,
      rackId: "rack-b",
    });
  });

  test("gives what stands for not told in version 0", () => {
    const [bytes] = kafkaBytesOf("ConsumerProtocolSubscription", 0);
    expect(readSubscription(bytes as Uint8Array)).toEqual({
      version: 0,
      topics: ["orders"],
      userData: null,
      ownedPartitions: [],
      generationId: -1,
      rackId: null,
    });
  });

  test("reads a version to come as the newest, and leaves what it adds", () => {
    const bytes = writeSubscription({ topics: ["orders"], rackId: "b" });
    const later = new Uint8Array([0, 9, ...bytes.subarray(2), 1, 2, 3]);
    expect(readSubscription(later)).toEqual(readSubscription(bytes) as Subscription);
  });

  test("gives nothing for what is cut off at any byte", () => {
    for (const version of VERSIONS) {
      const [, bytes] = kafkaBytesOf("ConsumerProtocolSubscription", version);
      for (let length = 0; length < (bytes as Uint8Array).length; length++) {
        expect(readSubscription((bytes as Uint8Array).subarray(0, length))).toBeUndefined();
      }
    }
  });

  test("gives nothing for a version below zero, null topics and a null topic", () => {
    expect(readSubscription(bytesOfHex("ffff00000000ffffffff"))).toBeUndefined();
    expect(readSubscription(bytesOfHex("0000ffffffffffffffff"))).toBeUndefined();
    expect(readSubscription(bytesOfHex("000000000001ffffffffffff"))).toBeUndefined();
  });

  test("gives nothing for counts that only lie, and makes nothing of them", () => {
    expect(readSubscription(bytesOfHex("00007fffffffffffffff"))).toBeUndefined();
    expect(readSubscription(bytesOfHex("000100000000ffffffff7fffffff"))).toBeUndefined();
    expect(readSubscription(bytesOfHex("000000000000000000057777"))).toBeUndefined();
  });
});

describe("readAssignment()", () => {
  test("reads what Kafka has written, and it is written as Kafka does", () => {
    for (const version of VERSIONS) {
      const known = kafkaBytesOf("ConsumerProtocolAssignment", version);
      expect(known).toHaveLength(2);
      for (const bytes of known) {
        const assignment = readAssignment(bytes) as Assignment;
        expect(assignment.version).toBe(version);
        expect(hexOf(writeAssignment(assignment, version))).toBe(hexOf(bytes));
      }
    }
  });

  test("gives partitions and user data", () => {
    const [, bytes] = kafkaBytesOf("ConsumerProtocolAssignment", 1);
    expect(readAssignment(bytes as Uint8Array)).toEqual({
      version: 1,
      assignedPartitions: [
        { topic: "orders", partitions: [0, 1, 2] },
        { topic: "größe", partitions: [7] },
      ],
      userData: new Uint8Array([9]),
    });
  });

  test("gives nothing for no bytes, which is what a member without a share is sent", () => {
    expect(readAssignment(new Uint8Array(0))).toBeUndefined();
  });

  test("gives nothing for what is cut off at any byte", () => {
    const [, bytes] = kafkaBytesOf("ConsumerProtocolAssignment", 3);
    for (let length = 0; length < (bytes as Uint8Array).length; length++) {
      expect(readAssignment((bytes as Uint8Array).subarray(0, length))).toBeUndefined();
    }
  });
});

describe("writeSubscription()", () => {
  test("comes back as it went, in every version", () => {
    const prng = new Prng(seedOf("consumer protocol"));
    for (let round = 0; round < 500; round++) {
      for (const version of VERSIONS) {
        const subscription = randomSubscription(prng, version);
        expect(readSubscription(writeSubscription(subscription, version))).toEqual(subscription);
      }
    }
  });

  test("writes the same bytes for the same topics in another order", () => {
    const ownedPartitions = [{ topic: "b", partitions: [1] }, { topic: "a", partitions: [0] }];
    expect(writeSubscription({ topics: ["b", "a"], ownedPartitions }))
      .toEqual(
        writeSubscription({ topics: ["a", "b"], ownedPartitions: ownedPartitions.toReversed() }),
      );
  });

  test("leaves out what the version lacks", () => {
    const told = { topics: ["a"], generationId: 4, rackId: "r" };
    expect(writeSubscription(told, 0)).toEqual(writeSubscription({ topics: ["a"] }, 0));
    expect(writeSubscription(told, 2)).toEqual(
      writeSubscription({ topics: ["a"], generationId: 4 }, 2),
    );
  });
});

describe("writeAssignment()", () => {
  test("comes back as it went, in every version", () => {
    const prng = new Prng(seedOf("consumer protocol assignments"));
    for (let round = 0; round < 500; round++) {
      for (const version of VERSIONS) {
        const assignedPartitions = randomPartitions(prng);
        const userData = randomUserData(prng);
        const bytes = writeAssignment({ assignedPartitions, userData }, version);
        expect(readAssignment(bytes)).toEqual({ version, assignedPartitions, userData });
      }
    }
  });
});

/** Elements of arrays in what was read. */
function elementsIn(partitions: readonly TopicPartitions[]): number {
  return partitions.reduce((sum, { partitions: { length } }) => sum + 1 + length, 0);
}

function elementsOf(subscription: ReturnType<typeof readSubscription>): number {
  if (subscription === undefined) return 0;
  return subscription.topics.length + elementsIn(subscription.ownedPartitions);
}

describe("readers of the consumer protocol under rubbish", () => {
  test("neither throw nor make more than the bytes pay for", () => {
    const prng = new Prng(seedOf("consumer protocol rubbish"));
    const valid = kafkaBytes.map((line) => bytesOfHex(`0003${line.split(" ")[3] ?? ""}`));
    const tally = { read: 0, refused: 0 };
    for (let round = 0; round < 60_000; round++) {
      const bytes = prng.oneIn(6)
        ? prng.bytes(prng.below(64))
        : (valid[prng.below(valid.length)] as Uint8Array).slice();
      for (let changes = prng.below(4); changes > 0 && bytes.length > 0; changes--) {
        bytes[prng.below(bytes.length)] = prng.oneIn(2) ? prng.u32() : prng.oneIn(2) ? 0 : 255;
      }
      const subscription = readSubscription(bytes);
      const assignment = readAssignment(bytes);
      for (const value of [subscription, assignment]) {
        tally[value === undefined ? "refused" : "read"]++;
      }
      const elements = elementsOf(subscription) + elementsIn(assignment?.assignedPartitions ?? []);
      if (elements > 2 * (bytes.length + 1024)) expect([elements, hexOf(bytes)]).toEqual([]);
    }
    expect(tally.read).toBeGreaterThan(10_000);
    expect(tally.refused).toBeGreaterThan(10_000);
  });
});
