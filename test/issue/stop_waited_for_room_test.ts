/**
 * A stop on a full disk never ended: a decision whose batch was appended waited for the room that its
 * sync needed, again and again, and the stop waited for the decision.
 */
import { expect, test } from "bun:test";
import { decideProducerIds } from "../../src/metadata/decide/producer_ids.ts";
import { MetadataQuorum } from "../../src/runtime/quorum/metadata_quorum.ts";
import { ManualClock } from "../client/manual_clock.ts";
import { LogFixture } from "../log/log_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

/** A quorum with a decision under way that waits for a name in its directory. */
async function waiting(): Promise<
  { quorum: MetadataQuorum; disk: MemoryDisk; clock: ManualClock; proposed: Promise<string> }
> {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const { log, tools } = await LogFixture.open({ disk });
  const onDiskFault = (): void => undefined;
  const quorum = await MetadataQuorum.open(log, { clock, ...tools, onDiskFault });
  disk.failNext("sync", "no-space", true); // of the decision
  const proposed = quorum.propose((image) => decideProducerIds(image, { brokerId: 1 }))
    .then(() => "decided", (error: Error) => error.message);
  await clock.advance(1000);
  return { quorum, disk, clock, proposed };
}

test("a stop ends though a decision waits for room", async () => {
  const { quorum, clock, proposed } = await waiting();
  await expect(clock.until(quorum.close())).rejects.toThrow("Cannot sync");
  expect(await clock.until(proposed)).toMatch("Cannot sync");
  expect(quorum.image.nextProducerId).toBe(0);
});

test("a halt ends it too", async () => {
  const { quorum, clock, proposed } = await waiting();
  quorum.abandon();
  expect(await clock.until(proposed)).not.toBe("decided");
});

test("and without a stop it is decided when there is room", async () => {
  const { quorum, disk, clock, proposed } = await waiting();
  disk.healFaults();
  expect(await clock.until(proposed)).toBe("decided");
  expect(quorum.image.nextProducerId).toBe(1000);
});
