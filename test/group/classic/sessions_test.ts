/** Deadlines of a classic group that no scenario script shows. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { toMs } from "../../../src/ground/numbers.ts";
import { World } from "./world.ts";

describe("sessions", () => {
  test("begin anew for who has waited with its JoinGroup longer than its session", () => {
    const world = new World();
    world.client("b").join = { sessionMs: 300_000, rebalanceMs: 30_000, instance: "i1" };
    world.client("a").join = { sessionMs: 10_000, rebalanceMs: 30_000 };
    world.settle("a", "b");
    world.join("a"); // the leader wants a rebalance, and b does not come
    world.pass(30_000);
    expect(world.group.state()).toBe("CompletingRebalance");
    world.pass(9999);
    expect(world.group.memberCount).toBe(2);
    world.pass(1);
    expect([...world.group.members()].map(({ clientId }) => clientId)).toEqual(["b"]);
  });

  test("begin anew for who has waited with its SyncGroup longer than its session", () => {
    const world = new World();
    world.client("b").join = { sessionMs: 10_000 };
    world.client("a").join = { sessionMs: 300_000 };
    world.gather("a", "b");
    world.sync("b");
    world.pass(50_000);
    world.sync("a");
    world.pass(9999);
    expect(world.group.memberCount).toBe(2);
    world.pass(1);
    expect(world.group.memberCount).toBe(1);
  });

  test("begin anew for a static member that came back", () => {
    const world = new World();
    world.client("s").join = { instance: "i1" };
    world.settle("s");
    world.pass(5000);
    world.client("s").memberId = "";
    world.join("s");
    world.pass(9999);
    expect(world.group.memberCount).toBe(1);
    world.pass(1);
    expect(world.group.memberCount).toBe(0);
  });

  test("are all that a Stable group wakes for", () => {
    const world = new World();
    world.client("a").join = { sessionMs: 200_000 };
    world.settle("a");
    expect(world.group.wakeAt).toBe(toMs(world.now + 200_000));
    world.leaveAlone("a");
    expect(world.group.wakeAt).toBeUndefined();
  });

  test("are forgotten with a member that is one too many", () => {
    const world = new World();
    for (const name of ["a", "b"]) world.client(name).join = { sessionMs: 200_000 };
    world.client("c").join = { sessionMs: 6000 };
    world.settle("a", "b", "c");
    world.settings = { ...world.settings, groupMaxSize: 2 };
    world.join("a");
    world.join("b");
    expect(world.join("c")?.errorCode).toBe(ErrorCode.GroupMaxSizeReached);
    expect(world.group.state()).toBe("CompletingRebalance");
    expect(world.group.wakeAt).toBe(toMs(world.now + 60_000));
  });

  test("are forgotten with the id that a static member had before", () => {
    const world = new World();
    world.client("a").join = { sessionMs: 200_000 };
    world.client("s").join = { sessionMs: 6000, instance: "i1" };
    world.settle("a", "s");
    world.join("a");
    world.client("s").memberId = "";
    world.join("s", { sessionMs: 200_000 });
    expect(world.group.state()).toBe("CompletingRebalance");
    expect(world.group.wakeAt).toBe(toMs(world.now + 60_000));
  });

  test("are no reason to wake for a group that was left before its first assignment", () => {
    const world = new World();
    world.gather("a");
    world.leaveAlone("a");
    expect(world.group.state()).toBe("Empty");
    expect(world.group.wakeAt).toBeUndefined();
  });
});

describe("sync()", () => {
  test("is waited for again after the log refused the assignments", () => {
    const world = new World();
    for (const name of ["a", "b"]) world.client(name).join = { sessionMs: 300_000 };
    world.gather("a", "b");
    world.isLogOpen = false;
    world.syncAll("a", "b");
    world.isLogOpen = true;
    world.join("a");
    world.pass(1);
    world.sync("a"); // b does not come back
    expect(world.group.memberCount).toBe(2);
    world.pass(60_000);
    expect([...world.group.members()].map(({ clientId }) => clientId)).toEqual(["a"]);
  });

  test("is not waited for from an id that a static member had before it came back", () => {
    const world = new World();
    world.client("s").join = { sessionMs: 300_000, instance: "i1" };
    world.client("a").join = { sessionMs: 300_000 };
    world.gather("a", "s");
    world.sync("a");
    world.client("s").memberId = "";
    expect(world.join("s")?.errorCode).toBe(ErrorCode.None);
    world.pass(100_000);
    expect(world.group.state()).toBe("Stable");
    expect(world.group.memberCount).toBe(2);
  });
});

describe("the initial delay", () => {
  test("is not prolonged by who came to an earlier first generation", () => {
    const world = new World();
    // Two delays of 3 s are all that there is time for, so the third to come prolongs nothing.
    for (const name of ["a", "b", "c"]) world.client(name).join = { version: 3, rebalanceMs: 6000 };
    world.join("a");
    world.join("b");
    world.pass(3000);
    world.join("c");
    world.pass(3000);
    expect(world.group.state()).toBe("CompletingRebalance");
    world.syncAll("a", "b", "c");
    for (const name of ["a", "b", "c"]) world.leaveAlone(name);
    expect(world.group.state()).toBe("Empty");
    world.join("d", { version: 3, rebalanceMs: 60_000 });
    world.pass(3000);
    expect(world.group.state()).toBe("CompletingRebalance");
  });
});
