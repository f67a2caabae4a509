/** Which partitions a coordinator loads, when, and whom it serves; on one partition and shards that are simple. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { toLeaderEpoch, toOffset } from "../../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import { ClusterImage } from "../../../src/metadata/image.ts";
import type { MetadataRecord } from "../../../src/metadata/record.ts";
import { GroupCoordinator } from "../../../src/runtime/coordinator/coordinator.ts";
import type { TopicsChange } from "../../../src/runtime/coordinator/shard_machine.ts";
import { PartitionTable } from "../../../src/runtime/partition_table.ts";
import { DriverFixture } from "./driver_fixture.ts";
import { FakeShard, offsetRecord, TOPIC } from "./fake_shard.ts";
import { fetchOffset, join, outcomeOf } from "./group_asks.ts";

const OFFSETS = "__consumer_offsets";
/** Of partition 7 of 8, which the fixture has. */
const GROUP = "g";

class ToldShard extends FakeShard {
  readonly told: TopicsChange[] = [];

  override topicsChanged(now: never, change: TopicsChange): ReturnType<FakeShard["topicsChanged"]> {
    this.told.push(change);
    return super.topicsChanged(now, change);
  }
}

interface Setup {
  readonly fixture: DriverFixture;
  readonly coordinator: GroupCoordinator<ToldShard>;
  readonly shards: ToldShard[];
  readonly image: ClusterImage;
  mayServe: boolean;
  onReplayed(record: MetadataRecord): Promise<void>;
  onReplaced(): Promise<void>;
}

function topicRecords(): readonly MetadataRecord[] {
  return [
    { kind: "topic", version: 0, name: OFFSETS, topicId: ZERO_UUID },
    ...Array.from({ length: 8 }, (_, partitionId) => partitionRecord(partitionId)),
  ];
}

function partitionRecord(partitionId: number): MetadataRecord {
  return {
    kind: "partition",
    version: 0,
    topicId: ZERO_UUID,
    partitionId,
    replicas: [1],
    isr: [1],
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
  };
}

async function setUp(isLeader: boolean): Promise<Setup> {
  const fixture = await DriverFixture.open();
  fixture.append(offsetRecord(GROUP, 5, 0));
  await fixture.clock.settle();
  if (!isLeader) fixture.partition.assign(toLeaderEpoch(1), false);
  const image = new ClusterImage();
  for (const record of topicRecords()) image.replay(image.nextOffset, record);
  const partitions = new PartitionTable();
  partitions.add(fixture.partition);
  const shards: ToldShard[] = [];
  let tellReplayed: (record: MetadataRecord) => unknown = () => undefined;
  let tellReplaced = (): unknown => undefined;
  const setup = { mayServe: true };
  const coordinator = new GroupCoordinator<ToldShard>({
    env: { clock: fixture.clock, trace: fixture.trace as never },
    view: {
      image,
      appliedOffset: toOffset(0),
      onReplayed: (listener) => {
        tellReplayed = (record) => listener(record, toOffset(0));
      },
      onImageReplaced: (listener) => {
        tellReplaced = listener;
      },
      whenApplied: () => Promise.resolve(true),
    },
    partitions,
    tools: fixture.tools as never,
    mayServe: () => setup.mayServe,
    newShard: () => {
      const shard = new ToldShard();
      shards.push(shard);
      return shard;
    },
    regexes: { load: () => undefined, compile: () => undefined },
    onLoaded: () => undefined,
  });
  coordinator.start();
  await fixture.clock.settle();
  return Object.assign(setup, {
    fixture,
    coordinator,
    shards,
    image,
    onReplayed: async (record: MetadataRecord) => {
      tellReplayed(record);
      await fixture.clock.settle();
    },
    onReplaced: async () => {
      tellReplaced();
      await fixture.clock.settle();
    },
  });
}

const loaded = (shards: readonly ToldShard[]): readonly number[] =>
  shards.map(({ loadedCount }) => loadedCount);

describe("GroupCoordinator", () => {
  test("loads what is led from the start, and nobody has to ask", async () => {
    const { shards, coordinator } = await setUp(true);
    expect(loaded(shards)).toEqual([1]);
    expect([...coordinator.shards()]).toHaveLength(1);
  });

  test("loads what comes to be led here, told by a record or by another image", async () => {
    for (const isBySnapshot of [false, true]) {
      const { fixture, shards, onReplayed, onReplaced } = await setUp(false);
      expect(shards).toEqual([]);
      fixture.partition.assign(toLeaderEpoch(2), true);
      await onReplayed({ kind: "no-op", version: 0 });
      expect(shards).toEqual([]);
      if (isBySnapshot) await onReplaced();
      else await onReplayed(partitionRecord(7));
      expect(loaded(shards)).toEqual([1]); // members that are gone end by their time, asked or not
    }
  });

  test("tells its shards of topics, by records and by another image", async () => {
    const { shards, image, onReplayed, onReplaced } = await setUp(true);
    const [shard] = shards as [ToldShard];
    shard.told.length = 0;
    const topicId = "AAAAAAAAAAAAAAAAAAAAAQ" as typeof ZERO_UUID;
    await onReplayed({ kind: "topic", version: 0, name: TOPIC, topicId });
    await onReplayed({ ...partitionRecord(3), topicId } as MetadataRecord); // one partition more
    expect(shard.told.map(({ changed }) => changed)).toEqual([[TOPIC], [TOPIC]]);
    image.replaceWith(topicRecords(), toOffset(99));
    await onReplaced();
    expect(shard.told.at(-1)?.removed).toEqual([{ name: TOPIC, topicId }]);
    expect(shard.offsets.size).toBe(0);
  });

  test("answers NOT_COORDINATOR while its broker may not serve, and once it has stopped", async () => {
    const setup = await setUp(true);
    const { coordinator } = setup;
    const ask = (): unknown => outcomeOf(coordinator.ask(fetchOffset(GROUP)));
    expect(ask()).toBe(5);
    setup.mayServe = false;
    expect(ask()).toBe(ErrorCode.NotCoordinator);
    setup.mayServe = true;
    const joined = coordinator.ask(join(GROUP));
    coordinator.stop();
    expect((await joined).errorCode).toBe(ErrorCode.NotCoordinator);
    expect(ask()).toBe(ErrorCode.NotCoordinator);
  });

  test("a log that cannot be read is not tried again for every request", async () => {
    const { fixture, coordinator, shards, onReplayed } = await setUp(false);
    fixture.partition.assign(toLeaderEpoch(2), true);
    const { log } = fixture.partition;
    const read = log.read.bind(log);
    let readCount = 0;
    log.read = () => {
      readCount++;
      return Promise.reject(new Error("broken"));
    };
    fixture.partition.onFault = () => "broken";
    await onReplayed(partitionRecord(7));
    for (let ask = 0; ask < 5; ask++) {
      expect(outcomeOf(coordinator.ask(fetchOffset(GROUP)))).toBe(ErrorCode.NotCoordinator);
      await fixture.clock.settle();
    }
    expect(readCount).toBe(1);
    log.read = read;
    await fixture.clock.advance(5000);
    coordinator.ask(fetchOffset(GROUP));
    await fixture.clock.settle();
    expect(outcomeOf(coordinator.ask(fetchOffset(GROUP)))).toBe(5);
    expect(loaded(shards)).toEqual([0, 1]);
  });
});
