/**
 * A commit went on with what was done while it was under way, and so on: under a reader that went on it
 * never ended. "Every five seconds" was without a pause, and a partition could not be given back.
 */
import { expect, test } from "bun:test";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import type { FakeBroker, Step } from "../client/fake_broker.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

test("a commit takes what was done when it was made, and ends", async () => {
  const { cluster, clock, member, brokers } = await setUpGroup({ partitions: 1 });
  const partition = cluster.partition("a", 0);
  fill(partition, ["0"]);
  const one = (await member("one", { commit: "manual" })).start();
  await clock.advance(1000);
  const [broker] = brokers as [FakeBroker];
  const answers = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  broker.script(
    offsetCommit,
    ...answers.map(({ promise }): Step => ({ kind: "hold", when: promise })),
  );
  let isCommitted = false;
  one.consumer.commit().then(() => isCommitted = true);
  for (const [index, { resolve }] of answers.entries()) {
    await clock.advance(600);
    fill(partition, [String(index + 1)]); // read, and done, while the commit is under way
    await clock.advance(600);
    resolve();
  }
  await clock.settle();
  expect(one.seen).toHaveLength(6);
  expect(isCommitted).toBeTrue();
  expect(broker.requestsOf(offsetCommit)).toHaveLength(1);
});
