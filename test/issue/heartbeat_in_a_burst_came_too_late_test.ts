/**
 * In a burst requests wait for their turns, and timers did not: a member whose heartbeat had come in time
 * was expelled while it waited behind a thousand joins of others.
 */
import { expect, test } from "bun:test";
import { Slices } from "../../src/runtime/slices.ts";
import { FairTurns } from "../../src/runtime/coordinator/fair_turns.ts";
import { ShardDriver } from "../../src/runtime/coordinator/shard_driver.ts";
import { DriverFixture } from "../runtime/coordinator/driver_fixture.ts";
import { FakeShard, JOIN_MS } from "../runtime/coordinator/fake_shard.ts";
import { heartbeat, join } from "../runtime/coordinator/group_asks.ts";

const BURST = 20;
const WORK_MS = 12;

interface Scene {
  readonly clock: DriverFixture["clock"];
  readonly turns: FairTurns;
  readonly driver: ShardDriver<FakeShard>;
  /** What the shard has done, in its order. */
  readonly done: string[];
}

async function scene(): Promise<Scene> {
  const { clock, partition, tools, trace } = await DriverFixture.open({ durability: "memory" });
  const turns = new FairTurns(clock);
  const slices = new Slices(clock);
  const machine = new FakeShard();
  const done: string[] = [];
  const decide = machine.decide.bind(machine);
  machine.decide = (now, request, token): ReturnType<typeof decide> => {
    done.push(request.kind);
    clock.leap(request.kind === "Heartbeat" ? WORK_MS : 0);
    return decide(now, request, token);
  };
  const wake = machine.wake.bind(machine);
  machine.wake = (now): ReturnType<typeof wake> => {
    done.push("wake");
    return wake(now);
  };
  const driver = new ShardDriver({
    partition,
    machine,
    clock,
    now: () => clock.wallMs(),
    tools,
    trace,
    pause: () => slices.next(),
    inTurn: (work) => void turns.take(work),
    regexes: { load: () => undefined, compile: () => undefined },
    onLoaded: () => undefined,
    onWritten: () => undefined,
    onGone: () => undefined,
  });
  void driver.ask(join("g"));
  return { clock, turns, driver, done };
}

test("what is due is done behind what was asked before", async () => {
  const { clock, turns, driver, done } = await scene();
  for (let at = 0; at < BURST; at++) void turns.take(() => driver.ask(heartbeat("g")));
  await clock.advance(JOIN_MS + 2 * BURST * WORK_MS);
  expect(done).toEqual(["JoinGroup", ...Array(BURST).fill("Heartbeat"), "wake"]);
});

test("and after a standstill no sooner than members could be heard", async () => {
  const { clock, turns, driver, done } = await scene();
  clock.leap(120_000);
  void turns.take(() => clock.leap(WORK_MS));
  void turns.take(() => driver.ask(heartbeat("g"))); // behind it, and before what is due
  await clock.advance(1000);
  expect(done).toEqual(["JoinGroup", "Heartbeat"]);
  await clock.advance(6000);
  expect(done).toEqual(["JoinGroup", "Heartbeat", "wake"]);
});
