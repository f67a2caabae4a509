import { describe, expect, test } from "bun:test";
import process from "node:process";
import { DiskFault } from "../../src/env/disk.ts";
import { Prng } from "../../src/ground/prng.ts";
import { uuidFromEntropy } from "../../src/ground/uuid.ts";
import { decideCreateTopics, type NewTopic } from "../../src/metadata/decide/create_topics.ts";
import { decideDeleteTopics } from "../../src/metadata/decide/delete_topics.ts";
import { decideProducerIds } from "../../src/metadata/decide/producer_ids.ts";
import { decideRegisterBroker } from "../../src/metadata/decide/register_broker.ts";
import type { Decision } from "../../src/metadata/decision.ts";
import type { ClusterImage } from "../../src/metadata/image.ts";
import { MetadataQuorum } from "../../src/runtime/quorum/metadata_quorum.ts";
import { registration } from "../metadata/cluster.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { LogFixture } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

const ROUNDS = 60;
const STEPS = 12;

interface Opened {
  readonly quorum: MetadataQuorum;
  readonly faults: DiskFault[];
}

async function open(disk: MemoryDisk, clock: ManualClock): Promise<Opened> {
  const faults: DiskFault[] = [];
  const { log, tools } = await LogFixture.open({ disk });
  const onDiskFault = (fault: DiskFault): void => void faults.push(fault);
  return { quorum: await MetadataQuorum.open(log, { clock, ...tools, onDiskFault }), faults };
}

/** All that an image says, as text that can be compared. */
function told(image: ClusterImage): string {
  const topics = [...image.topics()].map(({ config, ...topic }) => ({
    ...topic,
    config: [...config],
  }));
  return JSON.stringify([topics, image.brokers(), image.nextProducerId, image.nextOffset]);
}

function randomDecision(chance: Prng): (image: ClusterImage) => Decision<unknown> {
  const topicId = uuidFromEntropy(chance.bytes(16));
  const name = `t${chance.below(6)}`;
  switch (chance.below(4)) {
    case 0:
      return (image) => decideDeleteTopics(image, [...image.topics()].slice(0, 2));
    case 1:
      return (image) => decideProducerIds(image, { brokerId: 1 });
    case 2:
      return (image) => decideRegisterBroker(image, registration(1, { incarnationId: topicId }));
    default:
      return (image) =>
        decideCreateTopics(image, {
          topics: [newTopic(name, topicId, chance)],
          validateOnly: chance.oneIn(5),
          defaultPartitionCount: 3,
          defaultReplicationFactor: 1,
          partitionCountMax: 100,
          brokerValue: () => undefined,
        });
  }
}

function newTopic(name: string, topicId: NewTopic["topicId"], chance: Prng): NewTopic {
  const config = chance.oneIn(2)
    ? [{ name: "retention.ms", value: String(chance.below(1000)) }]
    : [];
  return { name, topicId, partitionCount: -1, replicationFactor: -1, assignments: [], config };
}

describe("MetadataQuorum", () => {
  test("is the same after a restart as while it ran, whatever the disk refused", async () => {
    const seed = Number(process.env["MQ_SEED"] ?? 41);
    console.log(`MetadataQuorum: MQ_SEED=${seed}`);
    const chance = new Prng(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const disk = new MemoryDisk();
      const clock = new ManualClock();
      const { quorum, faults } = await open(disk, clock);
      for (let step = 0; step < STEPS; step++) {
        if (chance.oneIn(4)) disk.failNext("write", "no-space");
        if (chance.oneIn(6)) disk.failNext("syncDirectory", "no-handles");
        const before = told(quorum.image);
        const proposed = quorum.propose(randomDecision(chance));
        const refusal = await clock.until(
          proposed.then(() => undefined, (error: unknown) => error),
        );
        if (refusal === undefined) continue;
        expect(refusal).toBeInstanceOf(DiskFault);
        expect(told(quorum.image)).toBe(before); // refused is refused, now and later
      }
      expect(faults).toHaveLength(0);
      disk.healFaults();
      const again = await open(chance.oneIn(2) ? disk.kill() : disk.crash(), clock);
      expect(told(again.quorum.image)).toBe(told(quorum.image));
    }
  });

  test("a decision of many records is in the log whole or not at all", async () => {
    const disk = new MemoryDisk();
    const clock = new ManualClock();
    const { quorum } = await open(disk, clock);
    await quorum.propose((image) => decideRegisterBroker(image, registration(1)));
    const topics = Array.from({ length: 3000 }, (_, index) => ({
      ...newTopic(`topic-${index}`, uuidFromEntropy(new Prng(index).bytes(16)), new Prng(1)),
      config: [{
        name: "leader.replication.throttled.replicas",
        value: new Array(1000).fill("1:1").join(","),
      }],
    }));
    await clock.until(quorum.propose((image) =>
      decideCreateTopics(image, {
        topics,
        validateOnly: false,
        defaultPartitionCount: 1,
        defaultReplicationFactor: 1,
        partitionCountMax: 10_000,
        brokerValue: () => undefined,
      })
    ));
    const killed = disk.kill();
    const log = killed.open("/data/orders-0/00000000000000000000.log", "write");
    log.truncate(log.bytes() - 1); // torn in its last byte
    const again = await clock.until(open(killed, clock));
    expect([...again.quorum.image.topics()]).toHaveLength(0);
    const whole = await clock.until(open(disk.crash(), clock));
    expect([...whole.quorum.image.topics()]).toHaveLength(3000);
  });

  test("a disk that fails is told to its owner, and nothing is decided", async () => {
    const disk = new MemoryDisk();
    const clock = new ManualClock();
    const { quorum, faults } = await open(disk, clock);
    disk.failNext("sync", "io");
    await expect(quorum.propose((image) => decideProducerIds(image, { brokerId: 1 }))).rejects
      .toThrow(
        "Cannot sync",
      );
    expect(faults).toHaveLength(1);
    expect(quorum.image.nextProducerId).toBe(0);
  });
});
