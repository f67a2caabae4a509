import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { createHostDisk } from "../../src/host/disk.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { LogFixture, makeBatch } from "./log_fixture.ts";

const SETTINGS = { segmentBytes: 20_000, indexIntervalBytes: 500 };

/** A program that appends and syncs until it is killed, and says what is durable. */
function writer(directory: string): string {
  const fixture = new URL("./log_fixture.ts", import.meta.url).href;
  const disk = new URL("../../src/host/disk.ts", import.meta.url).href;
  return `
    import { createHostDisk } from ${JSON.stringify(disk)};
    import { LogFixture } from ${JSON.stringify(fixture)};
    const options = { disk: createHostDisk(), directory: ${JSON.stringify(directory)} };
    const settings = ${JSON.stringify(SETTINGS)};
    const fixture = await LogFixture.open({ ...options, settings });
    for (let round = 0;; round++) {
      for (let count = 0; count < 10; count++) {
        const baseSequence = round * 10 + count;
        fixture.append({ producerId: 3, producerEpoch: 0, baseSequence, valueBytes: 100 });
      }
      console.log(await fixture.log.sync());
    }`;
}

describe("a log on a real disk", () => {
  test("has all that was synced, and nothing else, after kill -9", async () => {
    using temporary = temporaryDirectory();
    const directory = `${temporary.path}/orders-0`;
    const program = `${temporary.path}/writer.ts`;
    writeFileSync(program, writer(directory));
    const isDeno = process.versions["deno"] !== undefined;
    const run = isDeno ? ["run", "-A", "--no-config", program] : [program];
    const child = spawn(process.execPath, run, { stdio: ["ignore", "pipe", "inherit"] });
    let durable = 0;
    const ended = new Promise((resolve) => child.on("close", resolve));
    child.stdout?.on("data", (chunk) => {
      for (const line of String(chunk).split("\n")) durable = Math.max(durable, Number(line));
      if (durable > 500) child.kill("SIGKILL");
    });
    await ended;

    const disk = createHostDisk();
    const fixture = await LogFixture.open({ disk, directory, settings: SETTINGS, tailBytes: 5000 });
    expect(fixture.log.logEndOffset).toBeGreaterThanOrEqual(durable);
    expect(fixture.log.segmentCount()).toBeGreaterThan(3);
    const batches = await fixture.readAll(3000);
    expect(batches.length).toBe(fixture.log.logEndOffset);
    for (const [offset, batch] of batches.entries()) {
      const expected = { producerId: 3, producerEpoch: 0, baseSequence: offset, valueBytes: 100 };
      expect(batch).toEqual(makeBatch(offset, expected));
    }
    const last = fixture.log.logEndOffset - 1;
    const sequences = { baseSequence: last, lastSequence: last };
    const verdict = fixture.log.producers.check({ producerId: 3, producerEpoch: 0, ...sequences });
    expect(verdict.kind).toBe("duplicate");
    const more = fixture.append();
    await fixture.log.close();
    const reopened = await LogFixture.open({ disk, directory, isClean: true, settings: SETTINGS });
    expect((await reopened.readAll()).at(-1)).toEqual(more);
    expect(new BatchView(more).baseOffset()).toBe(last + 1);
    expect(reopened.events).toEqual([]);
    await reopened.log.close();
  });
});
