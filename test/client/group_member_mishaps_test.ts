/** What goes wrong for one partition, or once, and must not spoil the rest. */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { metadata } from "../../src/api/metadata.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import type { FakeBroker } from "./fake_broker.ts";
import { fill } from "./filling.ts";
import { setUpGroup } from "./grouping.ts";
import { codeOf } from "./harness.ts";

interface Asked {
  readonly topics: readonly {
    readonly partitions: readonly { readonly partitionIndex: number }[];
  }[];
}

function partitionsOf(body: unknown): readonly number[] {
  return (body as Asked).topics.flatMap(({ partitions }) =>
    partitions.map(({ partitionIndex }) => partitionIndex)
  );
}

test("a partition that cannot be committed does not keep the others from it", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 2 });
  const [broker] = brokers as [FakeBroker];
  for (const partition of [0, 1]) fill(cluster.partition("a", partition), ["x"]);
  const one = (await member("one", { commit: "manual" })).start();
  await clock.advance(3000);
  const answer = (errorCode: number, partitionIndex: number): object => ({
    partitionIndex,
    errorCode,
  });
  const partitions = [answer(ErrorCode.UnknownTopicOrPartition, 0), answer(ErrorCode.None, 1)];
  broker.script(offsetCommit, {
    kind: "serve-answer",
    body: { topics: [{ name: "a", topicId: cluster.topics.get("a")?.topicId, partitions }] },
  });
  expect(await codeOf(clock.until(one.consumer.commit()))).toBe("UNKNOWN_TOPIC_OR_PARTITION");
  await clock.until(one.consumer.commit());
  expect(broker.requestsOf(offsetCommit).map(({ body }) => partitionsOf(body)))
    .toEqual([[0, 1], [0]]);
  await clock.until(one.consumer.close());
});

test("commits go one behind the other, and the second has nothing left to tell", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
  const [broker] = brokers as [FakeBroker];
  fill(cluster.partition("a", 0), ["x"]);
  const one = (await member("one", { commit: "manual" })).start();
  await clock.advance(3000);
  const kept = Promise.withResolvers<void>();
  broker.script(offsetCommit, { kind: "hold", when: kept.promise });
  const commits = Promise.all([one.consumer.commit(), one.consumer.commit()]);
  await clock.advance(500);
  kept.resolve();
  await clock.until(commits);
  expect(broker.requestsOf(offsetCommit)).toHaveLength(1);
  await clock.until(one.consumer.close());
});

test("a committed offset that is not told is asked for again, and nothing is read twice", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
  const [broker] = brokers as [FakeBroker];
  fill(cluster.partition("a", 0), ["x", "y"]);
  const one = (await member("one")).start();
  await clock.advance(3000);
  await clock.until(one.consumer.close());
  const partitions = [{
    partitionIndex: 0,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: "",
    errorCode: ErrorCode.UnstableOffsetCommit,
  }];
  const topics = [{ name: "a", partitions }];
  broker.script(offsetFetch, {
    kind: "serve-answer",
    body: { topics: [], groups: [{ groupId: "g", topics, errorCode: ErrorCode.None }] },
  });
  fill(cluster.partition("a", 0), ["z"]);
  const two = (await member("two")).start();
  await clock.advance(5000);
  expect([one.seen, two.seen]).toEqual([["0:0=x", "0:1=y"], ["0:2=z"]]);
  await clock.until(two.consumer.close());
});

test("topics are looked at again behind a look that failed", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
  const [broker] = brokers as [FakeBroker];
  const one = (await member("one", {
    protocol: "classic",
    topics: { pattern: "a.?" },
    metadataMaxAgeMs: 2000,
  })).start();
  await clock.advance(1000);
  expect(one.consumer.assignment()).toHaveLength(1);
  broker.script(metadata, { kind: "silence" }, { kind: "silence" }, { kind: "silence" });
  await clock.advance(20_000);
  cluster.createTopic("ab");
  await clock.advance(20_000);
  expect(one.consumer.assignment()).toHaveLength(2);
  await clock.until(one.consumer.close());
});
