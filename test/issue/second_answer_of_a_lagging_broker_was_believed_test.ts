/**
 * "Offset out of range" was believed when it came twice, and the second time could be 20 ms later, from the
 * same broker that was behind, before the cluster had said who leads by now: a member with the rule "end"
 * skipped all that lay between.
 */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { metadata } from "../../src/api/metadata.ts";
import { answering, type FakeBroker } from "../client/fake_broker.ts";
import type { FakeTopic } from "../client/fake_cluster.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("the topic is looked up before the offset is asked for once more", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
  const partition = cluster.partition("a", 0);
  fill(partition, ["0"]);
  const one = (await member("one", { onOutOfRange: "end" })).start();
  await clock.advance(2000);
  const [broker] = brokers as [FakeBroker];
  const { topicId } = cluster.topics.get("a") as FakeTopic;
  const nothing = { highWatermark: -1, abortedTransactions: null, records: null };
  const refusal = { partitionIndex: 0, errorCode: ErrorCode.OffsetOutOfRange, ...nothing };
  const behind = answering(fetch, { responses: [{ topicId, partitions: [refusal] }] });
  const told = Promise.withResolvers<void>();
  broker.script(fetch, behind, behind);
  broker.script(metadata, { kind: "hold", when: told.promise });
  const fetchCount = broker.requestsOf(fetch).length;
  await clock.advance(1000);
  expect(broker.requestsOf(fetch).length).toBeLessThanOrEqual(fetchCount + 1);
  told.resolve();
  await clock.advance(100);
  expect(one.seen).toEqual(["0:0=0"]);
});
