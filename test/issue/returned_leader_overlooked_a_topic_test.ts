/**
 * The leader of a classic group that was away for a moment, and came back under its static name, took
 * what topics had by then for what was divided: partitions that had come meanwhile were nobody's, until
 * the group rebalanced for something else.
 */
import { expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import { startBroker } from "../broker/broker_fixture.ts";
import { Member } from "../client/grouping.ts";

test("what came while the static leader was away is divided when it is back", async () => {
  const { broker, clock, env } = await startBroker();
  const brokers = [{ host: "127.0.0.1", port: 9092 }];
  const client = await clock.until(connect({ brokers, env }));
  const { admin } = client;
  await clock.until(admin.createTopics([{ name: "a", partitions: 2 }]));
  const member = (instanceId: string): Member => {
    const from = { kind: "start" } as const;
    const options = {
      groupId: "g",
      topics: ["a", "b"],
      from,
      protocol: "classic",
      instanceId,
    } as const;
    return new Member(instanceId, client, options).start();
  };
  const joins = async (): Promise<number> => {
    const [group] = await clock.until(admin.groups.describeGroups(["g"], { hasHistory: true }));
    return group?.history.length ?? 0;
  };
  const [first, other] = [member("leader"), member("other")];
  await clock.advance(20_000);
  expect([first.partitions.length, other.partitions.length]).toEqual([1, 1]);
  await clock.until(first.consumer.close());
  const before = await joins();
  const again = member("leader");
  await clock.advance(5000);
  expect([again.partitions.length, await joins()]).toEqual([1, before]); // nothing was to be done

  await clock.until(again.consumer.close());
  await clock.until(admin.createTopics([{ name: "b", partitions: 1 }]));
  await clock.until(admin.createPartitions([{ name: "a", partitions: 3 }]));
  const last = member("leader");
  await clock.advance(20_000);
  expect([...last.partitions, ...other.partitions].sort()).toEqual([0, 0, 1, 2]);
  for (const one of [last, other]) await clock.until(one.consumer.close());
  await clock.until(client.close());
  await clock.until(broker.stop());
});
