/** What the log says of a classic group, read and written. */
import { describe, expect, test } from "bun:test";
import { toMs } from "../../../src/ground/numbers.ts";
import { textOf } from "../../../src/ground/text.ts";
import { ClassicGroup } from "../../../src/group/classic/classic_group.ts";
import { loaded, member, metadata } from "./fixture.ts";
import { World } from "./world.ts";

describe("replayMetadata()", () => {
  test("makes a Stable group of a record with members", () => {
    const { group } = loaded(metadata());
    expect(group.state()).toBe("Stable");
    expect(group.generationId()).toBe(5);
    expect(group.leaderId()).toBe("m1");
    expect(group.protocolName()).toBe("range");
    expect([...group.members()].map(({ assignment }) => textOf(assignment))).toEqual([
      "p-m1",
      "p-m2",
    ]);
  });

  test("makes an Empty group of a record without members, which sleeps", () => {
    const { group } = loaded(metadata({ members: [], protocol: null, leader: null }));
    expect(group.state()).toBe("Empty");
    expect(group.generationId()).toBe(5);
    expect(group.protocolType).toBe("consumer");
    expect(group.wakeAt).toBeUndefined();
    expect(group.isForgettable).toBe(false);
  });

  test("reads a record of a broker that knew no rebalance timeout", () => {
    const world = loaded(metadata({ members: [member("m1", { rebalanceTimeout: -1 })] }));
    expect([...world.group.members()][0]?.rebalanceTimeoutMs).toBe(10_000);
  });

  test("takes the first member for the leader where the one that is named is none", () => {
    expect(loaded(metadata({ leader: "gone" })).group.leaderId()).toBe("m1");
  });

  test("takes the last of many records, whatever was before", () => {
    const world = new World();
    const key = { group: "g" };
    world.log.push({ kind: "GroupMetadata", key, value: metadata() });
    world.log.push({
      kind: "GroupMetadata",
      key,
      value: metadata({ generation: 6, members: [member("m2", { groupInstanceId: "i" })] }),
    });
    world.crash();
    expect(world.group.generationId()).toBe(6);
    expect([...world.group.members()].map(({ memberId }) => memberId)).toEqual(["m2"]);
  });

  test("lets no session run before loaded(), and gives a whole one then", () => {
    const group = ClassicGroup.replayed("g", metadata());
    expect(group.wakeAt).toBe(toMs(0));
    const world = loaded(metadata());
    expect(world.group.wakeAt).toBe(toMs(world.now + 10_000));
    world.pass(9999);
    expect(world.group.memberCount).toBe(2);
    world.pass(1);
    expect(world.group.memberCount).toBe(0);
  });

  test("forgets everything with a tombstone", () => {
    const { group } = loaded(metadata());
    group.replayMetadata(null);
    expect(group.state()).toBe("Empty");
    expect(group.memberCount).toBe(0);
    expect(group.isForgettable).toBe(true);
  });
});

describe("a new group", () => {
  test("is forgettable until somebody holds an id of it, and again when nobody does", () => {
    const world = new World();
    expect(world.group.isForgettable).toBe(true);
    world.isLogOpen = false;
    world.join("a");
    expect(world.group.isForgettable).toBe(false);
    world.pass(10_000);
    expect(world.group.isForgettable).toBe(true);
    expect(world.group.wakeAt).toBeUndefined();
  });

  test("is written by the first who comes after the log refused it", () => {
    const world = new World();
    world.isLogOpen = false;
    world.join("a", { version: 3 });
    expect(world.log).toHaveLength(0);
    world.isLogOpen = true;
    world.join("b", { version: 3 });
    expect(world.log).toHaveLength(1);
    world.join("c", { version: 3 });
    expect(world.log).toHaveLength(1);
  });

  test("is not written for somebody who is refused", () => {
    const world = new World();
    world.join("a", { type: "" });
    world.join("a", { sessionMs: 1 });
    expect(world.log).toHaveLength(0);
    expect(world.group.isForgettable).toBe(true);
  });
});

describe("writeTombstones()", () => {
  test("removes the one record that there is", () => {
    const world = new World();
    world.settle("a");
    const written: unknown[] = [];
    world.turn((turn) =>
      world.group.writeTombstones({ ...turn, write: (record) => void written.push(record) })
    );
    expect(written).toEqual([{ kind: "GroupMetadata", key: { group: "g" }, value: null }]);
  });
});
