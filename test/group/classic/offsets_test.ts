/** What a classic group says about the offsets that were committed in it. */
import { describe, expect, test } from "bun:test";
import { writeSubscription } from "../../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { toMs } from "../../../src/ground/numbers.ts";
import { bytesOf } from "../../../src/ground/text.ts";
import { loaded, member, metadata } from "./fixture.ts";
import { World } from "./world.ts";

describe("offsets of a group", () => {
  test("are in use by those who live, as they said when the generation began or since", () => {
    const world = new World();
    const reads = (topic: string): Uint8Array => writeSubscription({ topics: [topic] });
    world.client("s").join = { instance: "i1", protocols: [["range", reads("t1")]] };
    world.settle("s");
    expect(world.group.isSubscribedTo("t1")).toBe(true);
    expect(world.group.isSubscribedTo("t2")).toBe(false);
    world.client("s").memberId = "";
    world.join("s", { protocols: [["range", reads("t2")]] });
    expect(world.group.state()).toBe("Stable");
    expect(world.group.isSubscribedTo("t1")).toBe(false);
    expect(world.group.isSubscribedTo("t2")).toBe(true);
  });

  test("are in use where a member reads the topic", () => {
    const { group } = loaded(metadata());
    expect(group.isSubscribedTo("topic-of-m1")).toBe(true);
    expect(group.isSubscribedTo("topic-of-m2")).toBe(true);
    expect(group.isSubscribedTo("other")).toBe(false);
    expect(group.expiryBase()).toBe("commit");
  });

  test("are all in use where a member's subscription cannot be read", () => {
    const members = [member("m1"), member("m2", { subscription: bytesOf("?") })];
    const { group } = loaded(metadata({ members }));
    expect(group.isSubscribedTo("other")).toBe(true);
    expect(group.expiryBase()).toBe("never");
  });

  test("are none of the coordinator's business in a group of another type", () => {
    const { group } = loaded(metadata({ protocolType: "connect" }));
    expect(group.isSubscribedTo("topic-of-m1")).toBe(false);
    expect(group.expiryBase()).toBe("never");
    expect(group.refuseOffsetDelete()).toBe(ErrorCode.NonEmptyGroup);
  });

  test("expire from when the group became empty, or from the commit where that is not known", () => {
    const empty = { members: [], protocol: null, leader: null };
    expect(loaded(metadata(empty)).group.expiryBase()).toBe(toMs(77));
    const unknown = loaded(metadata({ ...empty, currentStateTimestamp: -1 }));
    expect(unknown.group.expiryBase()).toBe("commit");
    const simple = loaded(metadata({ ...empty, protocolType: "" }));
    expect(simple.group.expiryBase()).toBe("commit");
    expect(unknown.group.isSubscribedTo("topic-of-m1")).toBe(false);
  });

  test("do not expire while the group rebalances, and topics are those of the generation before", () => {
    const world = loaded(metadata());
    world.join("n");
    world.join("n", { protocols: [["range", "?"]] });
    expect(world.group.state()).toBe("PreparingRebalance");
    expect(world.group.expiryBase()).toBe("never");
    expect(world.group.isSubscribedTo("topic-of-m1")).toBe(true);
    expect(world.group.isSubscribedTo("other")).toBe(false);
  });

  test("are no sign of life in a transaction", () => {
    const world = new World();
    world.settle("a");
    world.pass(9000);
    expect(world.commit("a", { isTransactional: true })).toBe(ErrorCode.None);
    world.pass(1000);
    expect(world.group.memberCount).toBe(0);
  });
});
