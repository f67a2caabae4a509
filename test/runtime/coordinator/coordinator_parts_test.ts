import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import { ClusterImage } from "../../../src/metadata/image.ts";
import type { MetadataRecord } from "../../../src/metadata/record.ts";
import { groupPartition, javaHash } from "../../../src/runtime/coordinator/group_partition.ts";
import { RebalanceCounts } from "../../../src/runtime/coordinator/rebalance_counts.ts";
import type { TopicsChange } from "../../../src/runtime/coordinator/shard_machine.ts";
import { SteadyClock } from "../../../src/runtime/coordinator/steady_clock.ts";
import { TopicWatch } from "../../../src/runtime/coordinator/topic_watch.ts";
import { ManualClock } from "../../client/manual_clock.ts";

describe("javaHash()", () => {
  test("is Java's, over UTF-16 units, and wraps", () => {
    // As jshell prints them.
    expect(javaHash("")).toBe(0);
    expect(javaHash("group")).toBe(98_629_247);
    expect(javaHash("my-consumer-group")).toBe(1_513_705_513);
    expect(javaHash("ä€😀")).toBe(16_603_051);
  });

  test("has an answer for the smallest int, which Java's abs has not", () => {
    const smallest = "polygenelubricants";
    expect(javaHash(smallest)).toBe(-0x8000_0000);
    expect(groupPartition(smallest, 50)).toBe(0);
    expect(groupPartition("group", 50)).toBe(47);
    expect(groupPartition("my-consumer-group", 50)).toBe(13);
  });
});

describe("SteadyClock", () => {
  test("begins at the wall clock and goes with the monotonic one", () => {
    const clock = new ManualClock();
    const steady = new SteadyClock(clock);
    const begin = steady.now();
    expect(begin).toBe(clock.wallMs());
    clock.leap(5000);
    expect(steady.now() - begin).toBe(5000);
  });

  test("follows a leap of the wall clock by a hundredth at most, in either direction", () => {
    for (const sign of [1, -1]) {
      const clock = new ManualClock();
      const steady = new SteadyClock(clock);
      const begin = steady.now();
      clock.jumpWall(sign * 3_600_000);
      expect(steady.now()).toBe(begin);
      clock.leap(10_000);
      expect(steady.now() - begin).toBe(10_000 + sign * 100);
      for (let day = 0; day < 5; day++) {
        clock.leap(86_400_000);
        steady.now();
      }
      expect(steady.now()).toBe(clock.wallMs());
    }
  });

  test("never goes back", () => {
    const clock = new ManualClock();
    const steady = new SteadyClock(clock);
    let before = steady.now();
    for (let step = 0; step < 1000; step++) {
      if (step % 100 === 0) clock.jumpWall(-1000 * step);
      clock.leap(step % 7);
      const now = steady.now();
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
  });
});

describe("TopicWatch", () => {
  const [one, other] = ["AAAAAAAAAAAAAAAAAAAAAQ", "AAAAAAAAAAAAAAAAAAAAAg"] as Uuid[] as [
    Uuid,
    Uuid,
  ];

  function watch(): {
    readonly image: ClusterImage;
    readonly told: TopicsChange[];
    readonly watched: TopicWatch;
    replay(...records: readonly MetadataRecord[]): Promise<void>;
  } {
    const image = new ClusterImage();
    image.replay(toOffset(0), { kind: "topic", version: 0, name: "old", topicId: one });
    const told: TopicsChange[] = [];
    const view = { image, whenApplied: () => Promise.resolve(true) };
    const watched = new TopicWatch(view as never, (change) => void told.push(change));
    const replay = async (...records: readonly MetadataRecord[]): Promise<void> => {
      for (const record of records) image.replay(image.nextOffset, record);
      for (const record of records) watched.onReplayed(record);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    };
    return { image, told, watched, replay };
  }

  test("names a topic that is gone, and tells of a batch once", async () => {
    const { told, replay } = watch();
    await replay(
      { kind: "remove-topic", version: 0, topicId: one },
      { kind: "topic", version: 0, name: "new", topicId: other },
      {
        kind: "partition",
        version: 0,
        topicId: other,
        partitionId: 0,
        replicas: [1],
        isr: [1],
        leader: 1,
        leaderEpoch: 0,
        partitionEpoch: 0,
      },
    );
    expect(told).toEqual([{ removed: [{ name: "old", topicId: one }], changed: ["new"] }]);
  });

  test("finds what is gone when the image was replaced as a whole", async () => {
    const { told, image, watched } = watch();
    image.replaceWith([{ kind: "topic", version: 0, name: "new", topicId: other }], toOffset(9));
    watched.onReplaced();
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(told).toEqual([{ removed: [{ name: "old", topicId: one }], changed: ["new"] }]);
  });

  test("tells once of a topic whose partitions are told one by one", async () => {
    const { image } = watch();
    const told: TopicsChange[] = [];
    let onApplied: (isApplied: boolean) => void = () => undefined;
    const view = {
      image,
      whenApplied: () => new Promise<boolean>((resolve) => onApplied = resolve),
    };
    const watched = new TopicWatch(view as never, (change) => void told.push(change));
    for (let partitionId = 0; partitionId < 3; partitionId++) {
      watched.onReplayed({ kind: "partition", topicId: one } as MetadataRecord);
      // deno-lint-ignore no-await-in-loop -- its folder is made before the next is told
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
    expect(told).toEqual([]);
    onApplied(true);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(told).toEqual([{ removed: [], changed: ["old"] }]);
  });

  test("says nothing of what is no topic's", async () => {
    const { told, replay } = watch();
    await replay({ kind: "no-op", version: 0 });
    expect(told).toEqual([]);
  });
});

describe("RebalanceCounts", () => {
  test("counts generations with members and epochs, and no static member that comes back", () => {
    const counts = new RebalanceCounts();
    const write = (generation: number, members: readonly unknown[]): void =>
      counts.onWritten({
        kind: "GroupMetadata",
        key: { group: "g" },
        value: { generation, members },
      } as never);
    write(1, ["m"]);
    write(1, ["m"]);
    write(2, ["m", "n"]);
    write(3, []);
    expect(counts.classic).toBe(2);
    counts.onWritten({ kind: "ConsumerGroupMetadata", key: { groupId: "c" }, value: {} } as never);
    counts.onWritten(
      { kind: "ConsumerGroupMetadata", key: { groupId: "c" }, value: null } as never,
    );
    expect(counts.consumer).toBe(1);
  });
});
