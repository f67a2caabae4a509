/**
 * A broker that was told to stop while it was starting said that it had stopped, and then opened its
 * door and served: the start went on and knew nothing of it.
 */
import { pageOf } from "../broker/broker_fixture.ts";
import { expect, test } from "bun:test";
import { assembleBroker, startBroker } from "../broker/broker_fixture.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

const TURNS_MAX = 400;

test("a stop at any moment of a start ends it, and lets go of everything", async () => {
  let stoppedEarly = 0;
  for (let turns = 0; turns < TURNS_MAX; turns += 3) {
    const disk = new MemoryDisk();
    const { broker, clock } = assembleBroker({}, disk);
    const starting = broker.start().then(() => "served", (error: Error) => error.message);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await clock.until(broker.stop());
    const outcome = await clock.until(starting);
    await broker.stopped;
    await clock.settle();
    expect(pageOf({ broker }, "/health/ready").status).toBe(503);
    expect(disk.locks.size).toBe(0);
    if (outcome === "served") break; // the start was over before the stop
    expect(outcome).toBe("Stopped before it was serving");
    stoppedEarly++;
    const after = await startBroker({}, disk.kill());
    expect(pageOf({ broker: after.broker }, "/health/ready").status).toBe(200);
  }
  expect(stoppedEarly).toBeGreaterThan(3);
});
