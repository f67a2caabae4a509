/**
 * One CreateTopics ended the broker: all partitions were opened at once, the process ran out of file
 * handles, and that was taken for a broken disk.
 */
import { expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { DiskFault, type DiskFile, type OpenMode } from "../../src/env/disk.ts";
import { batchOf, recordsOf, startBroker } from "../broker/broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "../broker/topic_requests.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

const HANDLES_MAX = 100;

/** A process with few handles. */
class FewHandles extends MemoryDisk {
  handles = 0;
  mostHandles = 0;
  refusals = 0;
  override open(path: string, mode: OpenMode): DiskFile {
    if (this.handles >= HANDLES_MAX || this.refusals > 0) {
      this.refusals = Math.max(this.refusals - 1, 0);
      throw new DiskFault("no-handles", path, "too many open files");
    }
    const file = super.open(path, mode);
    this.mostHandles = Math.max(this.mostHandles, ++this.handles);
    const close = file.close.bind(file);
    return Object.assign(file, {
      close: () => {
        this.handles--;
        close();
      },
    });
  }
}

test("a topic of many partitions is made with few handles open", async () => {
  const disk = new FewHandles();
  const { dial, clock } = await startBroker({}, disk);
  const connection = await dial();
  const topic = {
    name: "big",
    numPartitions: 500,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  };
  connection.send(createTopics, 7, { topics: [topic], timeoutMs: 1000 });
  for (let turn = 0; turn < 100 && connection.answerCount === 0; turn++) await clock.settle();
  expect(connection.answer(createTopics, 7).topics[0]?.errorCode).toBe(0);
  expect(disk.mostHandles).toBeLessThan(HANDLES_MAX);
});

test("a handle that is not to be had now is not a broken disk", async () => {
  const disk = new FewHandles();
  const { dial } = await startBroker({}, disk);
  const connection = await dial();
  await createTopic(connection, "t");
  disk.refusals = 1;
  await produceTo(connection, "t", batchOf(["refused, or kept"])).catch(() => undefined);
  await produceTo(connection, "t", batchOf(["kept"]));
  const records = recordsOf((await fetchFrom(connection, "t")).records);
  expect(records.at(-1)).toMatch(/kept$/);
});
