/** Answers of a classic group, and its other sides, that no scenario script shows. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { bytesOf, textOf } from "../../../src/ground/text.ts";
import { ClassicGroup } from "../../../src/group/classic/classic_group.ts";
import { World } from "./world.ts";

describe("join()", () => {
  test("says no protocol as the version can: empty before version 7, null from then on", () => {
    const world = new World();
    expect(world.join("a", { version: 6, type: "" })?.protocolName).toBe("");
    expect(world.join("a", { version: 7, type: "" })?.protocolName).toBeNull();
  });

  test("gives ids that begin with the client's name, or with the instance's", () => {
    const world = new World();
    const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    expect(world.join("app", { version: 4 })?.memberId ?? "").toMatch(new RegExp(`^app-${uuid}$`));
    world.join("s", { instance: "i1" });
    expect([...world.group.members()][0]?.memberId ?? "").toMatch(new RegExp(`^i1-${uuid}$`));
  });

  test("takes the first of protocols of one name, and is not confused by the others", () => {
    const world = new World();
    world.join("a", { version: 3, protocols: [["range", "first"], ["range", "second"]] });
    world.join("b", { version: 3, protocols: [["range", "b"]] });
    world.pass(6000);
    expect(world.group.state()).toBe("CompletingRebalance");
    const [one] = [...world.group.members()];
    expect(one?.protocols.map((protocol) => textOf(protocol.metadata))).toEqual(["first"]);
  });

  test("refuses an empty group id", () => {
    const world = new World();
    let errorCode: number | undefined;
    world.turn((turn) =>
      world.group.join({
        ...turn,
        reply: (_token, response) => {
          errorCode = (response as { errorCode: number }).errorCode;
        },
      }, {
        kind: "JoinGroup",
        body: {
          groupId: "",
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 1,
          memberId: "",
          groupInstanceId: null,
          protocolType: "consumer",
          protocols: [],
          reason: null,
        },
        caller: { apiVersion: 9, clientId: "a", clientHost: "/a" },
      }, { id: 1 })
    );
    expect(errorCode).toBe(ErrorCode.InvalidGroupId);
  });

  test("does not keep a new member for ever whose client waits for a generation that never comes", () => {
    const world = new World();
    world.client("s").join = { sessionMs: 1_000_000, rebalanceMs: 1_000_000, instance: "i1" };
    world.settle("s");
    world.join("n", { version: 3 });
    world.pass(299_999);
    expect(world.group.memberCount).toBe(2);
    world.lines = [];
    world.pass(1);
    expect(world.lines).toEqual(["n <- joined UNKNOWN_MEMBER_ID"]);
    expect(world.group.memberCount).toBe(1);
  });

  test("does not spin where nobody comes back and everybody asked for next to no time", () => {
    const world = new World();
    world.client("s").join = { sessionMs: 100_000, rebalanceMs: 1, instance: "i1" };
    world.settle("s");
    world.join("n", { version: 4 });
    world.join("n", { version: 4, rebalanceMs: 1 });
    world.leaveAlone("n");
    world.lines = [];
    let wakes = 0;
    const until = world.now + 50_000;
    for (let at = world.group.wakeAt ?? 0; at <= until; at = world.group.wakeAt ?? Infinity) {
      world.pass(Math.max(at - world.now, 0));
      wakes += 1;
    }
    expect(wakes).toBeLessThanOrEqual(60);
    expect(world.group.memberCount).toBe(1);
    expect(world.group.state()).toBe("PreparingRebalance");
  });
});

describe("describe()", () => {
  test("tells what members say of themselves of a Stable group only, and history when asked", () => {
    const world = new World();
    world.gather("a");
    const completing = world.group.describe(false);
    expect(completing.protocolData).toBe("");
    expect(textOf(completing.members[0]?.memberMetadata ?? bytesOf("?"))).toBe("");
    expect(completing.history).toBeUndefined();
    world.syncAll("a");
    const stable = world.group.describe(true);
    expect(stable.protocolData).toBe("range");
    expect(textOf(stable.members[0]?.memberMetadata ?? bytesOf("?"))).toBe("a");
    expect(stable.history).toHaveLength(1);
  });
});

describe("history", () => {
  test("cuts what clients give as their reason", () => {
    const world = new World();
    world.join("a", { version: 9 });
    world.join("a", { version: 9, reason: "x".repeat(10_000) });
    world.passJoins();
    expect(world.group.history.entries()[0]?.reason.length ?? 0).toBeLessThan(400);
  });

  test("cuts names that are as long as the protocol lets them be", () => {
    const world = new World();
    const name = "n".repeat(32_767);
    for (let count = 0; count < 20; count++) world.join(name, { version: 3, memberId: "" });
    world.passJoins();
    const reason = world.group.history.entries()[0]?.reason ?? "";
    expect(reason.length).toBeLessThan(1500);
    expect(reason).toMatch(/n…n+ \(member n+…n*-[0-9a-f-]+\) joined/);
    const [member] = [...world.group.members()];
    expect(member?.memberId.length ?? 0).toBeLessThanOrEqual(32_767);
  });

  test("keeps the last twenty rebalances", () => {
    const world = new World();
    world.settle("a");
    for (let round = 0; round < 30; round++) {
      world.join("a");
      world.sync("a");
    }
    const generations = world.group.history.entries().map(({ generation }) => generation);
    expect(generations).toHaveLength(20);
    expect(generations.at(-1)).toBe(31);
    expect(generations[0]).toBe(12);
  });
});

describe("converted()", () => {
  function converted(world: World): void {
    world.turn((turn) => {
      world.group = ClassicGroup.converted(turn, {
        groupId: "g",
        generationId: 12,
        members: ["m1", "m2"].map((memberId) => ({
          memberId,
          groupInstanceId: null,
          clientId: memberId,
          clientHost: "/h",
          rebalanceTimeoutMs: 60_000,
          sessionTimeoutMs: 10_000,
          protocols: [
            { name: "range", metadata: bytesOf(`says-${memberId}`) },
            { name: "sticky", metadata: bytesOf("") },
          ],
        })),
        assignmentOf: (memberId, said) => bytesOf(`${memberId}:${textOf(said)}`),
      });
      world.group.rebalance(turn, "a member went");
    });
  }

  test("is in the generation of the epoch, with what members had, and calls them back", () => {
    const world = new World();
    converted(world);
    expect(world.group.state()).toBe("PreparingRebalance");
    expect(world.group.generationId()).toBe(12);
    expect(world.group.isForgettable).toBe(false);
    world.client("m1").memberId = "m1";
    world.client("m1").generation = 12;
    expect(world.heartbeat("m1")).toBe(ErrorCode.RebalanceInProgress);
    expect(world.group.history.entries()[0]?.reason).toBe("a member went");
    expect([...world.group.members()].map(({ assignment }) => textOf(assignment))).toEqual([
      "m1:says-m1",
      "m2:says-m2",
    ]);
  });

  test("is found in a generation of nobody, where the coordinator fails before that is over", () => {
    const world = new World();
    converted(world);
    world.crash();
    expect(world.group.state()).toBe("Stable");
    expect(world.group.memberCount).toBe(2);
    expect(world.group.generationId()).toBe(13);
  });

  test("knows all protocols of its members, not only those that are written", () => {
    const world = new World();
    converted(world);
    expect([...world.group.members()][0]?.protocols).toHaveLength(2);
  });

  test("throws out members who never found out", () => {
    const world = new World();
    converted(world);
    world.pass(10_000);
    expect(world.group.state()).toBe("Empty");
  });
});

describe("refuseWaiting()", () => {
  test("answers joins and syncs, so that nobody waits for a group that is no more", () => {
    const world = new World();
    world.gather("a", "b");
    world.sync("b");
    world.lines = [];
    world.turn((turn) => world.group.refuseWaiting(turn, ErrorCode.RebalanceInProgress));
    expect(world.lines).toEqual(["b <- synced REBALANCE_IN_PROGRESS"]);
    world.leaveAlone("a");
    world.join("b");
    expect(world.waitingCount).toBe(0);
  });

  test("expects syncs again, where the group stays what it was", () => {
    const world = new World();
    for (const name of ["a", "b"]) world.client(name).join = { sessionMs: 300_000 };
    world.gather("a", "b");
    world.sync("b");
    world.turn((turn) => world.group.refuseWaiting(turn, ErrorCode.RebalanceInProgress));
    world.sync("a");
    world.pass(60_000);
    expect([...world.group.members()].map(({ clientId }) => clientId)).toEqual(["a"]);
  });
});
