/**
 * A follower's timer came twice a second only to be set anew: each message of the leader puts the
 * election off, and the timer stayed where it was. An idle node's cost is the number of its wakes.
 */
import { expect, test } from "bun:test";
import type { Timer } from "../../src/env/clock.ts";
import { TestCluster } from "../runtime/quorum/quorum_fixture.ts";

/** What the leader's timers wait is a heartbeat, 200 ms; what a follower's do is longer. */
const ELECTION_MS_MIN = 400;
const IDLE_MS = 60_000;

test("the election timers of an idle quorum never come", async () => {
  const cluster = await TestCluster.start(3);
  const leader = await cluster.leader();
  await cluster.converge();
  await cluster.clock.advance(1000);
  const { term } = leader.quorum.node.status();
  let setCount = 0;
  let wakeCount = 0;
  const after = cluster.clock.after.bind(cluster.clock);
  cluster.clock.after = (delayMs: number, action: () => void): Timer => {
    if (delayMs <= ELECTION_MS_MIN) return after(delayMs, action);
    setCount++;
    return after(delayMs, () => {
      wakeCount++;
      action();
    });
  };
  await cluster.clock.advance(IDLE_MS);
  expect(leader.quorum.node.status().term).toBe(term);
  expect(wakeCount).toBe(0);
  // One for each follower and heartbeat, and no more under load: see below.
  expect(setCount).toBeLessThanOrEqual(2 * IDLE_MS / 200 + 2);
  expect(setCount).toBeGreaterThan(IDLE_MS / 200);
});

test("a follower that hears much sets its timer anew a few times a second", async () => {
  const cluster = await TestCluster.start(3);
  const leader = await cluster.leader();
  await cluster.converge();
  let setCount = 0;
  const after = cluster.clock.after.bind(cluster.clock);
  cluster.clock.after = (delayMs: number, action: () => void): Timer => {
    if (delayMs > ELECTION_MS_MIN) setCount++;
    return after(delayMs, action);
  };
  for (let number = 0; number < 500; number++) await cluster.take(leader);
  const perDecision = setCount / 500;
  expect(perDecision).toBeLessThan(0.5); // of four messages to followers
});
