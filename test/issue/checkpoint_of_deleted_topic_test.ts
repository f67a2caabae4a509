/**
 * A broker did not start after a kill, because a checkpoint told of a topic that had been deleted.
 *
 *     1. A topic held records; a clean stop wrote its recovery point.
 *     2. It was deleted and made again under the same name, with fewer records.
 *     3. After a kill its torn tail lay below the old recovery point, and so was taken for damage.
 */
import { expect, test } from "bun:test";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { batchOf, recordsOf, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "../broker/topic_requests.ts";

test("the offsets of a deleted topic are not held against the next of its name", async () => {
  const first = await startBroker();
  const connection = await first.dial();
  await createTopic(connection, "t");
  for (let count = 0; count < 20; count++) await produceTo(connection, "t", batchOf(["old"]));
  await first.clock.until(first.broker.stop());

  const second = await startBroker({}, first.disk.kill());
  const again = await second.dial();
  await again.ask(deleteTopics, 5, { topicNames: ["t"], timeoutMs: 1000 });
  await createTopic(again, "t");
  await produceTo(again, "t", batchOf(["kept"]));
  await produceTo(again, "t", batchOf(["torn"]));
  second.broker.halt();

  const disk = second.disk.kill();
  const log = disk.open("/data/t-0/00000000000000000000.log", "write");
  log.truncate(log.bytes() - 10);
  const third = await startBroker({}, disk);
  expect(recordsOf((await fetchFrom(await third.dial(), "t")).records)).toEqual(["0:kept"]);
});
