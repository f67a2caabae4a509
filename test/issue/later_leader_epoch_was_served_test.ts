import { expect, test } from "bun:test";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { batchOf, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "../broker/topic_requests.ts";

test("a log with a leader epoch that metadata never gave out is not served", async () => {
  const first = await startBroker();
  const connection = await first.dial();
  await createTopic(connection, "a");
  await produceTo(connection, "a", batchOf(["x"]));
  await produceTo(connection, "a", batchOf(["y"]));
  first.broker.halt();
  const disk = first.disk.kill();
  disk.locks.clear();
  const node = disk.files.get(`/data/a-0/${"0".repeat(20)}.log`) as { content: Uint8Array };
  const content = node.content.slice();
  content[new BatchView(content).sizeInBytes() + 15] = 1; // the last byte of the second's leader epoch
  expect(new BatchView(content).computedCrc(crc32cTables)).toBe(new BatchView(content).crc());
  node.content = content;
  const again = await startBroker({}, disk);
  expect((await fetchFrom(await again.dial(), "a", { offset: 0 })).errorCode).toBe(56);
  expect(again.events.join("\n")).toMatch("partition is offline");
  again.broker.halt();
});
