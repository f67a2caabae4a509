import { describe, expect, test } from "bun:test";
import { toOffset } from "../../src/ground/numbers.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";
import { Retention } from "../../src/runtime/retention.ts";
import { ManagedFixture } from "./managed_fixture.ts";

const SECOND_MS = 1000;
const DAY_MS = 24 * 3_600_000;
const DAY = { "retention.ms": String(DAY_MS) };
const INTERVAL_MS = 300_000;

function setUp(): {
  readonly logs: ManagedFixture;
  readonly retention: Retention;
  readonly room: { isFull: boolean };
} {
  const logs = new ManagedFixture();
  const room = { isFull: false };
  const { clock, trace } = logs;
  const settings = new BrokerSettings(new Map());
  const retention = new Retention({ clock, trace, logs, settings, isFull: () => room.isFull });
  return { logs, retention, room };
}

describe("Retention while somebody waits for room", () => {
  test("looks at logs that were trimmed alone, and at all of them when it is time", async () => {
    const { logs, retention } = setUp();
    const { clock } = logs;
    const [one, two] = [await logs.add("one", DAY), await logs.add("two", DAY)];
    one.fill(0, 0, 0, 0);
    two.fill(2 * DAY_MS, 0);
    retention.task.start();
    for (let seconds = 0; seconds < 29; seconds++) {
      one.log.moveStart(toOffset(Math.min(Math.ceil(seconds / 9), 3)));
      retention.onTrimmed(one.partition);
      await clock.advance(SECOND_MS);
    }
    expect([one.segments, two.segments]).toEqual([[3], [0, 1]]);
    await clock.advance(2 * SECOND_MS); // trims do not put off the first look at all
    expect(two.segments).toEqual([1]);
    two.log.moveStart(toOffset(2));
    const dueSeconds = INTERVAL_MS / SECOND_MS;
    for (let seconds = 0; seconds < dueSeconds + 3; seconds++) {
      if (seconds < dueSeconds - 3) expect(two.segments).toEqual([1]);
      retention.onTrimmed(one.partition);
      await clock.advance(SECOND_MS);
    }
    expect(two.segments).toEqual([2]);
  });

  test("looks at all logs at once where a disk is full, whatever was trimmed meanwhile", async () => {
    const { logs, retention } = setUp();
    const [one, two] = [await logs.add("one", DAY), await logs.add("two", DAY)];
    one.fill(0, 0);
    two.fill(2 * DAY_MS, 0);
    retention.task.start();
    retention.onTrimmed(one.partition);
    retention.onNoRoom();
    await logs.clock.advance(10);
    expect(two.segments).toEqual([1]);
  });

  test("runs every few seconds as long as a directory is full, and then as before", async () => {
    const { logs, retention, room } = setUp();
    const { log } = await logs.add("t", { "retention.ms": String(DAY_MS) });
    let looks = 0;
    const look = log.segmentFacts.bind(log);
    log.segmentFacts = () => {
      looks++;
      return look();
    };
    room.isFull = true;
    retention.task.start();
    retention.onNoRoom();
    await logs.clock.advance(60 * SECOND_MS);
    expect(looks).toBe(13); // at once, and then every five seconds
    room.isFull = false;
    await logs.clock.advance(5 * SECOND_MS);
    await logs.clock.advance(INTERVAL_MS - SECOND_MS);
    expect(looks).toBe(14);
  });
});
