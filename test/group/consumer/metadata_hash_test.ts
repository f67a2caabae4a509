/** The hashes against what hash4j 0.22, which Kafka 4.1 uses, makes of the same. */
import { describe, expect, test } from "bun:test";
import { uuidFromBytes } from "../../../src/ground/uuid.ts";
import { TopicHashes } from "../../../src/group/consumer/metadata_hash.ts";
import { xxh3 } from "../../../src/group/consumer/xxh3.ts";
import { ClusterImage } from "../../../src/metadata/image.ts";

/** Of the bytes (7 i + n) mod 256 for i from 0 to n − 1. */
const HASHES: readonly (readonly [length: number, hash: bigint])[] = [
  [0, 3244421341483603138n],
  [1, -2220562881957146901n],
  [2, 3724619060873665926n],
  [3, -6266602912829716452n],
  [4, 6297312323375345790n],
  [5, 2565845316291143453n],
  [8, -5693888875394197238n],
  [9, -8445836227155624914n],
  [15, -4517570678542965108n],
  [16, 3159599325006435930n],
  [17, 7070371635116224842n],
  [31, 2053882885601730627n],
  [32, -8569976950676894311n],
  [33, -5271264198224304052n],
  [64, 1953419934939160347n],
  [96, -3480686520655352023n],
  [97, -2215387666941578022n],
  [128, -1633510367785085978n],
  [129, -5383259723849235271n],
  [130, 5970752764592826827n],
  [200, 7350251351420641343n],
  [239, 3569128420754416473n],
  [240, 4473034316189165092n],
  [241, -4792628563661132438n],
  [255, -6099024096956735364n],
  [256, -46693030393586759n],
  [257, 8713265036859552365n],
  [512, -648991930387029524n],
  [1023, 578133351087105188n],
  [1024, -2568512991238798245n],
  [1025, -4010797056655636473n],
  [2048, -8895413229747997544n],
  [3000, -5237397615981960497n],
  [5000, 3499038088879543845n],
];

const ORDERS_AND_BILLS = 1248494675268078253n;
const ORDERS = -1776537846621406354n;

function cluster(): ClusterImage {
  const image = new ClusterImage();
  const replay = (record: Parameters<ClusterImage["replay"]>[1]): void =>
    image.replay(image.nextOffset, record);
  const racks = ["r1", "rä2", null];
  racks.forEach((rack, brokerId) => {
    const incarnationId = uuidFromBytes(new Uint8Array(16).fill(100 + brokerId));
    replay({
      kind: "register-broker",
      version: 0,
      brokerId,
      incarnationId,
      host: "localhost",
      port: 9092,
      rack,
    });
  });
  const topic = (
    name: string,
    bytes: Uint8Array,
    replicas: readonly (readonly number[])[],
  ): void => {
    const topicId = uuidFromBytes(bytes);
    replay({ kind: "topic", version: 0, name, topicId });
    replicas.forEach((ids, partitionId) =>
      replay({
        kind: "partition",
        version: 0,
        topicId,
        partitionId,
        replicas: ids,
        isr: ids,
        leader: ids[0] as number,
        leaderEpoch: 0,
        partitionEpoch: 0,
      })
    );
  };
  topic("orders-ä", Uint8Array.from({ length: 16 }, (_, at) => at + 1), [[1, 0], [2, 0]]);
  topic("bills", new Uint8Array(16).fill(0x11), [[2]]);
  return image;
}

describe("xxh3()", () => {
  for (const [length, hash] of HASHES) {
    test(`of ${length} bytes`, () => {
      expect(xxh3(Uint8Array.from({ length }, (_, at) => (7 * at + length) & 255))).toBe(hash);
    });
  }
});

describe("TopicHashes", () => {
  test("gives the hash that Kafka gives, racks in order and without those who have none", () => {
    const hashes = new TopicHashes();
    expect(hashes.hashOf(["bills", "orders-ä"], cluster())).toBe(ORDERS_AND_BILLS);
    expect(hashes.hashOf(["orders-ä"], cluster())).toBe(ORDERS);
  });

  test("does not count topics that are not there", () => {
    const hashes = new TopicHashes();
    expect(hashes.hashOf([], cluster())).toBe(0n);
    expect(hashes.hashOf(["nothing"], cluster())).toBe(0n);
    expect(hashes.hashOf(["a", "orders-ä", "z"], cluster())).toBe(ORDERS);
  });

  test("keeps what it knows of a topic until it is told to forget it", () => {
    const hashes = new TopicHashes();
    const image = cluster();
    expect(hashes.hashOf(["orders-ä"], image)).toBe(ORDERS);
    const topicId = image.topic("orders-ä")?.topicId;
    if (topicId === undefined) throw new Error("there is no such topic");
    image.replay(image.nextOffset, {
      kind: "partition",
      version: 0,
      topicId,
      partitionId: 2,
      replicas: [0],
      isr: [0],
      leader: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
    });
    expect(hashes.hashOf(["orders-ä"], image)).toBe(ORDERS);
    hashes.forget("orders-ä");
    expect(hashes.hashOf(["orders-ä"], image) === ORDERS).toBeFalse();
  });
});
