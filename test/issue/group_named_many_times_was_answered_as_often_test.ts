/**
 * A request of a few hundred bytes named one group a thousand times, and was answered a thousand times:
 * gigabytes, for which every other member waited. A partition named as often was the same.
 */
import { describe, expect, test } from "bun:test";
import { consumerGroupDescribe } from "../../src/api/consumer_group_describe.ts";
import { describeGroups } from "../../src/api/describe_groups.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import { commit, startWithGroups } from "../broker/group_requests.ts";

const OFTEN = 1000;
const VERSION = 8;

function often<Item>(item: Item): Item[] {
  return Array.from({ length: OFTEN }, () => item);
}

describe("a group that is named many times is answered once", () => {
  test("OffsetFetch of all it has, and of partitions named as often", async () => {
    const { connection } = await startWithGroups();
    await commit(connection, "g", "orders", 7);
    const all = { groupId: "g", topics: null };
    const topic = { name: "orders", partitionIndexes: [0] };
    const requests = [
      often(all),
      often({ groupId: "g", topics: [topic] }),
      [{ groupId: "g", topics: often(topic) }],
      [{ groupId: "g", topics: [{ ...topic, partitionIndexes: often(0) }] }],
    ];
    for (const request of requests) {
      // deno-lint-ignore no-await-in-loop -- one connection
      const { groups } = await connection.ask(offsetFetch, VERSION, { groups: request });
      expect(groups).toHaveLength(1);
      expect(groups[0]?.topics).toHaveLength(1);
      expect(groups[0]?.topics[0]?.partitions.map((one) => one.committedOffset)).toEqual([7]);
    }
  });

  test("OffsetFetch gives what any mention of a group asks for", async () => {
    const { connection } = await startWithGroups();
    await commit(connection, "g", "orders", 7);
    const asks = (name: string, ...partitionIndexes: number[]) => ({
      groupId: "g",
      topics: [{ name, partitionIndexes }],
    });
    const { groups } = await connection.ask(offsetFetch, VERSION, {
      groups: [asks("orders", 0), asks("other", 3), asks("orders", 1)],
    });
    expect(
      groups.map(({ topics }) =>
        topics.map(({ name, partitions }) => [name, ...partitions.map((one) => one.partitionIndex)])
      ),
    ).toEqual([[["orders", 0, 1], ["other", 3]]]);
  });

  test("DescribeGroups and ConsumerGroupDescribe", async () => {
    const { connection } = await startWithGroups();
    await commit(connection, "g", "orders", 7);
    const described = await connection.ask(describeGroups, 5, { groups: often("g") });
    expect(described.groups).toHaveLength(1);
    const consumers = await connection.ask(consumerGroupDescribe, 0, { groupIds: often("g") });
    expect(consumers.groups).toHaveLength(1);
  });
});
