import { describe, expect, test } from "bun:test";
import { writeSubscription } from "../../../src/api/consumer_protocol.ts";
import {
  type AssignorMember,
  assignorMember,
  type Division,
  generationUserData,
} from "../../../src/client/group/assignor/assignor.ts";
import { assignors } from "../../../src/client/group/assignor/assignors.ts";
import { cooperativeSticky } from "../../../src/client/group/assignor/cooperative_sticky.ts";
import { range } from "../../../src/client/group/assignor/range.ts";
import { roundRobin } from "../../../src/client/group/assignor/round_robin.ts";
import { partitionKey } from "../../../src/client/group/partition_set.ts";
import type { TopicPartition } from "../../../src/client/group_options.ts";
import { Prng } from "../../../src/ground/prng.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 6006);

function member(memberId: string, topics: readonly string[], more: object = {}): AssignorMember {
  return {
    memberId,
    groupInstanceId: null,
    topics,
    rackId: null,
    ownedPartitions: [],
    generationId: -1,
    ...more,
  };
}

/** "m: a0 a1; n: a2" */
function text(division: Division): string {
  return [...division].sort(([left], [right]) => left < right ? -1 : 1).map(([memberId, own]) => {
    const names = own.map(({ topic, partition }) => `${topic}${partition}`).sort();
    return `${memberId}: ${names.join(" ")}`.trim();
  }).join("; ");
}

const parts = (...names: readonly string[]): readonly TopicPartition[] =>
  names.map((name) => ({ topic: name.charAt(0), partition: Number(name.slice(1)) }));

describe("range", () => {
  test("gives runs of each topic, the rest to the first, alike over topics", () => {
    const members = [member("m", ["a", "b"]), member("n", ["a", "b"])];
    const counts = new Map([["a", 3], ["b", 3]]);
    expect(text(range.divide(members, counts))).toBe("m: a0 a1 b0 b1; n: a2 b2");
  });

  test("asks only who is subscribed, and has nothing for more members than partitions", () => {
    const members = [member("m", ["a"]), member("n", ["a", "b"]), member("o", ["b"])];
    const counts = new Map([["a", 1], ["b", 2]]);
    expect(text(range.divide(members, counts))).toBe("m: a0; n: b0; o: b1");
    expect(text(range.divide([member("m", ["x"])], counts))).toBe("m:");
  });

  test("puts static members first, by their instance", () => {
    const members = [
      member("a-dynamic", ["a"]),
      member("z", ["a"], { groupInstanceId: "1" }),
      member("y", ["a"], { groupInstanceId: "2" }),
    ];
    expect(text(range.divide(members, new Map([["a", 3]])))).toBe("a-dynamic: a2; y: a1; z: a0");
  });
});

describe("roundrobin", () => {
  test("deals all partitions in turn", () => {
    const members = [member("m", ["a", "b"]), member("n", ["a", "b"])];
    const counts = new Map([["a", 3], ["b", 3]]);
    expect(text(roundRobin.divide(members, counts))).toBe("m: a0 a2 b1; n: a1 b0 b2");
  });

  test("passes over who is not subscribed: the example of Kafka's documentation", () => {
    const members = [member("0", ["t"]), member("1", ["t", "u"]), member("2", ["t", "u", "v"])];
    const counts = new Map([["t", 1], ["u", 2], ["v", 3]]);
    expect(text(roundRobin.divide(members, counts))).toBe("0: t0; 1: u0; 2: u1 v0 v1 v2");
  });
});

describe("cooperative-sticky", () => {
  test("leaves out what moves until its owner has given it back", () => {
    const counts = new Map([["a", 4]]);
    const old = member("m", ["a"], { ownedPartitions: parts("a0", "a1", "a2", "a3") });
    const first = cooperativeSticky.divide([old, member("n", ["a"])], counts);
    expect(text(first)).toBe("m: a0 a1; n:");
    const kept = member("m", ["a"], { ownedPartitions: parts("a0", "a1") });
    expect(text(cooperativeSticky.divide([kept, member("n", ["a"])], counts)))
      .toBe("m: a0 a1; n: a2 a3");
  });

  test("believes the newer of two claims, and none of two that are equally new", () => {
    const counts = new Map([["a", 1]]);
    const claim = (memberId: string, generationId: number): AssignorMember =>
      member(memberId, ["a"], { ownedPartitions: parts("a0"), generationId });
    expect(text(cooperativeSticky.divide([claim("m", 3), claim("n", 5)], counts)))
      .toBe("m:; n: a0");
    expect(text(cooperativeSticky.divide([claim("m", 5), claim("n", 5)], counts))).toBe("m:; n:");
  });

  test("relieves over others where there is no direct way", () => {
    const counts = new Map([["a", 3], ["b", 3]]);
    const division = settled([
      member("m", ["a"], { ownedPartitions: parts("a0", "a1", "a2") }),
      member("n", ["a", "b"], { ownedPartitions: parts("b0", "b1") }),
      member("o", ["b"], { ownedPartitions: parts("b2") }),
    ], counts);
    expect([...division.values()].map(({ length }) => length)).toEqual([2, 2, 2]);
  });

  test("does not believe in partitions that are not there, or topics that it is not subscribed to", () => {
    const counts = new Map([["a", 1], ["b", 1]]);
    const own = member("m", ["a"], { ownedPartitions: parts("a0", "a7", "b0", "c0") });
    expect(text(cooperativeSticky.divide([own, member("n", ["b"])], counts))).toBe("m: a0; n:");
  });
});

describe("assignorMember()", () => {
  const owned = [{ topic: "a", partitions: [0, 2] }];

  test("reads what members of every version tell", () => {
    for (const version of [0, 1, 2, 3]) {
      const metadata = writeSubscription({
        topics: ["a"],
        userData: generationUserData(7),
        ownedPartitions: owned,
        generationId: 9,
      }, version);
      const read = assignorMember({ memberId: "m", groupInstanceId: null, metadata });
      expect(read.topics).toEqual(["a"]);
      expect(read.ownedPartitions).toEqual(version === 0 ? [] : parts("a0", "a2"));
      expect(read.generationId).toBe(version >= 2 ? 9 : 7);
    }
  });

  test("takes part with nothing where the metadata cannot be read", () => {
    const metadata = Uint8Array.of(0, 1, 99);
    expect(assignorMember({ memberId: "m", groupInstanceId: null, metadata }).topics).toEqual([]);
  });
});

/** Divides again and again, as members do that give back and join anew. */
function settled(
  members: readonly AssignorMember[],
  counts: ReadonlyMap<string, number>,
): Division {
  let now = members;
  for (let round = 1; round <= 3; round++) {
    const division = cooperativeSticky.divide(now, counts);
    checkHandover(now, division);
    const next = now.map((each) => ({
      ...each,
      generationId: round,
      ownedPartitions: division.get(each.memberId) ?? [],
    }));
    const isSame = next.every((each, index) =>
      each.ownedPartitions.length === now[index]?.ownedPartitions.length
    );
    now = next;
    if (isSame && round > 1) break;
  }
  const last = cooperativeSticky.divide(now, counts);
  expect(text(last)).toBe(text(new Map(now.map((each) => [each.memberId, each.ownedPartitions]))));
  return last;
}

/** Nothing is given to anybody while somebody else says to have it, and is not behind the times. */
function checkHandover(members: readonly AssignorMember[], division: Division): void {
  const claimed = (member: AssignorMember | undefined, partition: TopicPartition): boolean =>
    member?.ownedPartitions.some((own) => partitionKey(own) === partitionKey(partition)) === true;
  for (const { memberId, ownedPartitions, generationId } of members) {
    const own = new Set(ownedPartitions.map(partitionKey));
    for (const [other, partitions] of division) {
      if (other === memberId) continue;
      const receiver = members.find((each) => each.memberId === other);
      const isNewer = (receiver?.generationId ?? -1) > generationId;
      for (const partition of partitions) {
        if (isNewer && claimed(receiver, partition)) continue;
        expect(own.has(partitionKey(partition))).toBeFalse();
      }
    }
  }
}

describe("assignors, random groups", () => {
  test(`give every partition to one subscriber (seed ${SEED})`, () => {
    const random = new Prng(SEED);
    for (let round = 0; round < 300; round++) {
      const { members, counts } = randomGroup(random);
      for (const assignor of Object.values(assignors)) {
        const division = assignor === cooperativeSticky
          ? settled(members, counts)
          : assignor.divide(members, counts);
        checkWhole(members, counts, division);
      }
    }
  });

  test(`cooperative-sticky is as even as can be (seed ${SEED})`, () => {
    const random = new Prng(SEED);
    for (let round = 0; round < 300; round++) {
      const { members, counts } = randomGroup(random);
      const division = settled(members, counts);
      for (const from of members) {
        for (const to of members) {
          const gap = size(division, from.memberId) - size(division, to.memberId);
          const mayGive = (division.get(from.memberId) ?? []).some(({ topic }) =>
            to.topics.includes(topic)
          );
          if (mayGive) expect(gap).toBeLessThan(2);
        }
      }
    }
  });

  test(`cooperative-sticky moves no more than it must (seed ${SEED})`, () => {
    const random = new Prng(SEED);
    for (let round = 0; round < 200; round++) {
      const count = random.between(1, 40);
      const counts = new Map([["a", count]]);
      const memberCount = random.between(1, 8);
      const names = Array.from({ length: memberCount }, (_, index) => `m${index}`);
      const before = settled(names.map((name) => member(name, ["a"])), counts);
      const owning = names.map((name) =>
        member(name, ["a"], { ownedPartitions: before.get(name), generationId: 1 })
      );
      // One more: only what it gets has moved.
      const joined = settled([...owning, member("new", ["a"])], counts);
      expect(moved(before, joined)).toBe(size(joined, "new"));
      // One less: only what it had has moved.
      if (memberCount === 1) continue;
      const left = settled(owning.slice(1), counts);
      expect(moved(before, left)).toBe(size(before, "m0"));
    }
  });

  test("cooperative-sticky divides 10,000 partitions among 1,000 in time", () => {
    const counts = new Map([["a", 10_000]]);
    const all = Array.from({ length: 10_000 }, (_, partition) => ({ topic: "a", partition }));
    const members = Array.from(
      { length: 1000 },
      (_, index) => member(`m${index}`, ["a"], index === 0 ? { ownedPartitions: all } : {}),
    );
    const division = cooperativeSticky.divide(members, counts);
    expect(size(division, "m0")).toBe(10);
  });
});

function size(division: Division, memberId: string): number {
  return division.get(memberId)?.length ?? 0;
}

/** Partitions that are somewhere else than before. */
function moved(before: Division, after: Division): number {
  let count = 0;
  for (const [memberId, partitions] of after) {
    const had = new Set((before.get(memberId) ?? []).map(partitionKey));
    count += partitions.filter((partition) => !had.has(partitionKey(partition))).length;
  }
  return count;
}

function checkWhole(
  members: readonly AssignorMember[],
  counts: ReadonlyMap<string, number>,
  division: Division,
): void {
  const owners = new Map<string, string>();
  for (const { memberId, topics } of members) {
    for (const partition of division.get(memberId) ?? []) {
      expect(topics).toContain(partition.topic);
      expect(owners.has(partitionKey(partition))).toBeFalse();
      owners.set(partitionKey(partition), memberId);
    }
  }
  const subscribed = new Set(members.flatMap(({ topics }) => topics));
  let wanted = 0;
  for (const [topic, count] of counts) if (subscribed.has(topic)) wanted += count;
  expect(owners.size).toBe(wanted);
}

function randomGroup(
  random: Prng,
): { members: readonly AssignorMember[]; counts: ReadonlyMap<string, number> } {
  const topics = ["a", "b", "c", "d"].slice(0, random.between(1, 4));
  const counts = new Map(topics.map((topic) => [topic, random.below(9)]));
  const isAlike = random.oneIn(3);
  const members = Array.from({ length: random.between(1, 6) }, (_, index) => {
    const own = isAlike ? topics : topics.filter(() => random.oneIn(2));
    const ownedPartitions = topics.flatMap((topic) =>
      Array.from({ length: random.below(4) }, () => ({ topic, partition: random.below(10) }))
    );
    const instance = random.oneIn(4) ? `i${index}` : null;
    return member(`m${index}`, own, {
      groupInstanceId: instance,
      ownedPartitions: random.oneIn(2) ? ownedPartitions : [],
      generationId: random.below(3),
    });
  });
  return { members, counts };
}
