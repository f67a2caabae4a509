import { describe, expect, test } from "bun:test";
import process from "node:process";
import { Prng } from "../../src/ground/prng.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { FEATURES, METADATA_VERSION, rangeOf, refuseLevel } from "../../src/metadata/feature.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import { asMetadataRecord, levelOf, type MetadataRecord } from "../../src/metadata/record.ts";
import { misfit } from "../../src/metadata/record_fit.ts";
import { decodeMessagePack, encodeMessagePack } from "../../src/wire/msgpack.ts";
import { uuid } from "./cluster.ts";

const TOPIC_ID = uuid(1);
const LISTENER = { name: "PLAINTEXT", host: "h", port: 9092 };

/** One of each form, with all fields that it can have. */
const SAMPLES: readonly MetadataRecord[] = [
  { kind: "topic", version: 0, name: "t", topicId: TOPIC_ID },
  {
    kind: "partition",
    version: 0,
    topicId: TOPIC_ID,
    partitionId: 0,
    replicas: [1, 2],
    isr: [1],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
  },
  {
    kind: "partition",
    version: 1,
    topicId: TOPIC_ID,
    partitionId: 0,
    replicas: [1, 2],
    isr: [1],
    leader: -1,
    leaderEpoch: 3,
    partitionEpoch: 4,
    addingReplicas: [2],
    removingReplicas: [1],
  },
  {
    kind: "partition-change",
    version: 0,
    topicId: TOPIC_ID,
    partitionId: 0,
    isr: [2],
    leader: 2,
    replicas: [1, 2],
    addingReplicas: [],
    removingReplicas: [1],
    bumpsLeaderEpoch: true,
  },
  {
    kind: "config",
    version: 0,
    resourceType: "topic",
    resourceName: "t",
    name: "retention.ms",
    value: null,
  },
  {
    kind: "config",
    version: 1,
    resourceType: "broker",
    resourceName: "",
    name: "log.cleaner.threads",
    value: "2",
  },
  { kind: "remove-topic", version: 0, topicId: TOPIC_ID },
  {
    kind: "register-broker",
    version: 0,
    brokerId: 1,
    incarnationId: uuid(2),
    host: "h",
    port: 9092,
    rack: null,
  },
  {
    kind: "register-broker",
    version: 1,
    brokerId: 1,
    incarnationId: uuid(2),
    listeners: [LISTENER],
    rack: "a",
    features: [{ name: METADATA_VERSION, minVersion: 1, maxVersion: 2 }],
    directoryIds: [uuid(3)],
    isFenced: true,
    isInControlledShutdown: false,
    brokerEpoch: 7,
  },
  {
    kind: "broker-change",
    version: 0,
    brokerId: 1,
    brokerEpoch: 7,
    isFenced: false,
    isInControlledShutdown: true,
  },
  { kind: "unregister-broker", version: 0, brokerId: 1, brokerEpoch: 7 },
  { kind: "feature-level", version: 0, name: METADATA_VERSION, level: 2 },
  { kind: "producer-ids", version: 0, brokerId: 1, nextProducerId: 1000 },
  { kind: "no-op", version: 0 },
];

/** Fields that a form can be without. */
const OPTIONAL: Readonly<Record<string, readonly string[]>> = {
  "partition 1": ["addingReplicas", "removingReplicas"],
  "partition-change 0": ["isr", "leader", "replicas", "addingReplicas", "removingReplicas"],
  "register-broker 1": ["isInControlledShutdown", "brokerEpoch"],
  "broker-change 0": ["isFenced", "isInControlledShutdown"],
};

const CONFIG = SAMPLES[4] as MetadataRecord;
const PARTITION = SAMPLES[1] as MetadataRecord;
const CHANGE = SAMPLES[3] as MetadataRecord;

function read(value: unknown): MetadataRecord | string {
  return asMetadataRecord(decodeMessagePack(encodeMessagePack(value)));
}

describe("asMetadataRecord()", () => {
  test("takes every form as it was written", () => {
    for (const sample of SAMPLES) expect(read(sample)).toEqual(sample);
  });

  test("names a kind and a version that it does not know", () => {
    expect(read({ kind: "topic", version: 1, name: "t" })).toMatch(/topic of unknown version 1/);
    expect(read({ kind: "register-broker", version: 2 })).toMatch(/unknown version 2/);
    for (const version of [-1, 0.5, "0", null, undefined]) {
      expect(read({ kind: "topic", version })).toMatch(/unknown version/);
    }
    for (const kind of ["toString", "__proto__", "", 7, undefined]) {
      expect(read({ kind, version: 0 })).toMatch(/unknown kind/);
    }
    for (const value of [null, 7, "topic", undefined]) {
      expect(asMetadataRecord(value)).toMatch(/not an object/);
    }
  });

  test("refuses a record with a hole, and says where it is", () => {
    for (const sample of SAMPLES) {
      const optional = OPTIONAL[`${sample.kind} ${sample.version}`] ?? [];
      for (const field of Object.keys(sample)) {
        if (field === "kind" || field === "version") continue;
        const { [field as "kind"]: _gone, ...rest } = sample;
        const result = read(rest);
        if (optional.includes(field)) expect(result).toEqual(rest);
        else expect(result).toMatch(new RegExp(`${sample.kind} version \\d: ${field} is not`));
      }
    }
  });

  test("refuses a field of another type or out of its bounds", () => {
    const others = [true, -2, 1.5, 2 ** 53, "x y", [], [-1], [1, 1], ["1"], {}, [{}], null];
    for (const sample of SAMPLES) {
      for (const [field, value] of Object.entries(sample)) {
        if (field === "kind" || field === "version") continue;
        const refused = others.filter((other) =>
          typeof read({ ...sample, [field]: other }) === "string"
        );
        // What it takes in place of its own value is at most another one of the same type.
        const taken = others.filter((other) => !refused.includes(other));
        for (const other of taken) {
          const isText = typeof other === "string" || other === null;
          const isOfItsType = typeof other === typeof value || (isText && isTextOrNull(field));
          expect(`${sample.kind} ${field} ${JSON.stringify(other)} ${isOfItsType}`)
            .toMatch(/ true$/);
        }
      }
    }
  });

  test("refuses what contradicts itself", () => {
    expect(read({ ...PARTITION, isr: [3] })).toMatch(/isr has brokers that replicas has not/);
    expect(read({ ...PARTITION, leader: 2 })).toMatch(/leader 2 is not in the isr/);
    expect(read({ ...PARTITION, leader: -1 })).toMatch(/leader is not/);
    expect(read({ ...CHANGE, leader: 1 })).toMatch(/leader 1 is not in the isr/);
    expect(read({ ...CHANGE, removingReplicas: [4] })).toMatch(/removingReplicas has brokers/);
    expect(typeof read({ ...CHANGE, leader: -1 })).toBe("object");
  });

  test("refuses names of topics that lead out of their folder", () => {
    for (const name of ["../x", "", "a/b", "..", "a\0", "x".repeat(250)]) {
      expect(read({ kind: "topic", version: 0, name, topicId: TOPIC_ID })).toMatch(/name is not/);
    }
  });

  test("refuses settings of brokers in the form that only topics have", () => {
    expect(read({ ...CONFIG, resourceType: "broker" })).toMatch(/resourceType is not topic/);
    expect(read({ ...CONFIG, version: 1, resourceType: "group" })).toMatch(/topic or broker/);
  });

  test("refuses features and levels that this release does not know", () => {
    const level = (name: string, to: number): MetadataRecord | string =>
      read({ kind: "feature-level", version: 0, name, level: to });
    const { maxVersion } = rangeOf(FEATURES[0] as (typeof FEATURES)[number]);
    expect(level(METADATA_VERSION, maxVersion + 1)).toMatch(/from level 1 to \d, and not level/);
    expect(level(METADATA_VERSION, 0)).toMatch(/and not level 0/);
    expect(level("warp.drive", 1)).toMatch(/does not know the feature warp.drive/);
    expect(refuseLevel(METADATA_VERSION, maxVersion)).toBeUndefined();
  });

  test("has a reason or a record for whatever comes, and what fits can be replayed", () => {
    const seed = Number(process.env["MQ_SEED"] ?? 77);
    const chance = new Prng(seed);
    const image = new ClusterImage();
    let taken = 0;
    for (let round = 0; round < 20_000; round++) {
      const sample = SAMPLES[chance.below(SAMPLES.length)] as MetadataRecord;
      const fields = Object.keys(sample);
      const field = fields[chance.below(fields.length)] as string;
      const record = read({ ...sample, [field]: anything(chance, 3) });
      if (typeof record === "string" || misfit(image, record) !== undefined) continue;
      taken++;
      image.replay(toOffset(round), record);
    }
    expect(taken).toBeGreaterThan(500);
    console.info(`records: MQ_SEED=${seed}`);
  });
});

describe("levelOf()", () => {
  test("is that of a node alone for what there was before clusters", () => {
    const alone = SAMPLES.filter((sample) => levelOf(sample) === 1)
      .map(({ kind, version }) => `${kind} ${version}`);
    expect(alone).toEqual([
      "topic 0",
      "partition 0",
      "config 0",
      "remove-topic 0",
      "register-broker 0",
      "feature-level 0",
      "producer-ids 0",
    ]);
  });
});

function isTextOrNull(field: string): boolean {
  return field === "rack" || field === "value" || field === "resourceName";
}

function anything(chance: Prng, depth: number): unknown {
  switch (chance.below(depth === 0 ? 6 : 8)) {
    case 0:
      return chance.between(-2, 5);
    case 1:
      return ["", "t", "a", uuid(chance.below(4)), "../x", "topic"][chance.below(6)];
    case 2:
      return chance.oneIn(2);
    case 3:
      return chance.oneIn(2) ? null : undefined;
    case 4:
      return chance.u32() * 4096;
    case 5:
      return Array.from({ length: chance.below(4) }, () => chance.between(0, 3));
    case 6:
      return Array.from({ length: chance.below(4) }, () => anything(chance, depth - 1));
    default:
      return { name: anything(chance, 0), host: "h", port: chance.below(70_000) };
  }
}
