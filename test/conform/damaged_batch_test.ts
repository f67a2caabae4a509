/** A batch that is damaged on the broker's disk, as kcat (librdkafka) and mq meet it. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BatchWalk } from "../../src/record/batch_walk.ts";
import { mq, startBroker } from "../harness/broker.ts";
import { hasTool, run } from "../harness/process.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { isOwn } from "./subject.ts";

const kcatTest = test.skipIf(!await hasTool("kcat") || !isOwn);
const BATCHES = ["a1\na2\n", "b1\nb2\n", "c1\nc2\n"];

/** Flips a bit in the records of the second batch of the partition's only segment. */
function damageSecondBatch(directory: string): void {
  const name = readdirSync(directory).find((file) => file.endsWith(".log")) as string;
  const path = join(directory, name);
  const bytes = new Uint8Array(readFileSync(path));
  const walk = new BatchWalk(bytes);
  walk.next();
  walk.next();
  const at = walk.batch.position() + 65;
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

describe("a damaged batch", () => {
  kcatTest("ends a reader with an error, behind the records before it", async () => {
    await using directory = temporaryDirectory();
    const dataDirectory = join(directory.path, "data");
    {
      await using before = await startBroker({ dataDirectory });
      expect((await mq(["topic", "create", "t", "-q"], before)).status).toBe(0);
      for (const input of BATCHES) {
        await run("kcat", ["-b", before.kafka, "-P", "-t", "t"], { input });
      }
      expect(await before.stop()).toBe(0);
    }
    damageSecondBatch(join(dataDirectory, "t-0"));
    await using broker = await startBroker({ dataDirectory });
    const words = ["-b", broker.kafka, "-C", "-t", "t", "-q", "-u"];
    const read = await run("kcat", [...words, "-o", "beginning", "-e"]);
    expect([read.status, read.text]).toEqual([1, "a1\na2\n"]);
    expect(read.stderr).toContain("Invalid message"); // librdkafka's word for CORRUPT_MESSAGE
    const behind = await run("kcat", [...words, "-o", "4", "-e"]);
    expect([behind.status, behind.text]).toEqual([0, "c1\nc2\n"]);
    const own = await mq(["consume", "t", "-o", "start:end"], broker);
    expect([own.status, own.text]).toEqual([1, "a1\na2\n"]);
    expect(own.stderr).toContain("the batch at offset 2 is damaged");
  });
});
