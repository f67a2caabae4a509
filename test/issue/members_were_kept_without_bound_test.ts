/**
 * A few joins of a large metadata, or of very many protocols, from connections that went at once, took
 * gigabytes for minutes: a group kept whatever members said of themselves.
 */
import { describe, expect, test } from "bun:test";
import { World } from "../group/classic/world.ts";

const MIB = 1024 * 1024;

describe("what the members of a classic group say of themselves", () => {
  test("is bounded; whoever has no more room is told so, and others have it when one has left", () => {
    const world = new World();
    const large = new Uint8Array(15 * MIB);
    world.join("a", { version: 3, protocols: [["range", large]] });
    world.join("b", { version: 3, protocols: [["range", large]] });
    world.lines = [];
    world.join("c", { version: 3, protocols: [["range", large]] });
    expect(world.lines).toEqual(["c <- joined GROUP_MAX_SIZE_REACHED"]);
    expect(world.group.memberCount).toBe(2);
    world.pass(300_000);
    world.join("c", { version: 3, protocols: [["range", large]] });
    expect(world.group.memberCount).toBe(1);
  });

  test("counts protocols without metadata too, and a member's words once", () => {
    const world = new World();
    const many = (name: string): [string, string][] =>
      Array.from({ length: 90_000 }, (_, at) => [`${name}-${at}`, ""]);
    world.join("a", { version: 3, protocols: [["range", ""], ...many("a")] });
    world.lines = [];
    world.join("b", { version: 3, protocols: [["range", ""], ...many("b")] });
    expect(world.lines).toEqual(["b <- joined GROUP_MAX_SIZE_REACHED"]);
    world.settle("a");
    world.lines = [];
    world.join("a", { version: 3, protocols: [["range", ""], ...many("z")] });
    expect(world.lines.some((line) => line.includes("GROUP_MAX_SIZE_REACHED"))).toBeFalse();
  });
});
