/**
 * `onLost` and `onNotice` of an application that had become too slow were called from a timer: what they
 * threw was caught by nobody and ended the program, or left a member that never moved again.
 */
import { expect, test } from "bun:test";
import type { GroupConsumerOptions } from "../../src/client/group_options.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

const throwing = (): never => {
  throw new Error("the application is wrong");
};

const CALLBACKS: readonly Partial<GroupConsumerOptions>[] = [
  { onLost: throwing },
  { onNotice: throwing },
];

for (const callbacks of CALLBACKS) {
  test(`what ${Object.keys(callbacks).join()} throws ends the consumer`, async () => {
    const { cluster, clock, connect } = await setUpGroup({ partitions: 1 });
    fill(cluster.partition("a", 0), ["x"]);
    const consumer = (await connect()).groupConsumer({
      groupId: "g",
      topics: ["a"],
      from: { kind: "start" },
      maxProcessingMs: 5000,
      ...callbacks,
    });
    const gate = Promise.withResolvers<void>();
    const ended = (async () => {
      for await (const _ of consumer.batches()) await gate.promise;
    })().then(() => "ended", (error) => error.message);
    await clock.advance(20_000);
    gate.resolve();
    expect(await clock.until(ended)).toMatch("the application is wrong");
    await clock.until(consumer.close());
  });
}
