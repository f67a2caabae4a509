/** "range" where members and replicas stand in racks: cases and answers as Kafka's own tests have them. */
import { describe, expect, test } from "bun:test";
import type { AssignorMember } from "../../../src/client/group/assignor/assignor.ts";
import { range } from "../../../src/client/group/assignor/range.ts";

type Racks = readonly (string | null)[];

interface Case {
  /** Partitions by topic. */
  readonly topics: Readonly<Record<string, number>>;
  readonly replicas: number;
  readonly brokers: Racks;
  readonly members: Racks;
  /** By member. */
  readonly subscribed: readonly (readonly string[])[];
}

/** Replica `j` of partition `i` is on broker `i + j`; the topics follow each other round. */
function divide({ topics, replicas, brokers, members, subscribed }: Case): {
  readonly division: string[];
  /** Partitions with a reader that stands in a rack, and no replica there. */
  readonly farCount: number;
} {
  const counts = new Map(Object.entries(topics));
  const racks = new Map<string, Set<string>[]>();
  let next = 0;
  for (const [topic, count] of counts) {
    const ofTopic = Array.from({ length: count }, (_, partition) => {
      const own = Array.from(
        { length: replicas },
        (_, replica) => brokers[(partition + replica + next) % brokers.length],
      );
      return new Set(own.filter((rack): rack is string => typeof rack === "string"));
    });
    next += count;
    racks.set(topic, ofTopic);
  }
  const asked = members.map((rackId, index): AssignorMember => ({
    memberId: `consumer${index}`,
    groupInstanceId: null,
    topics: subscribed[index] ?? [],
    rackId,
    ownedPartitions: [],
    generationId: -1,
  }));
  const divided = range.divide(asked, counts, racks);
  let farCount = 0;
  const division = asked.map(({ memberId, rackId }) => {
    const own = divided.get(memberId) ?? [];
    farCount += own.filter(({ topic, partition }) =>
      rackId !== null && racks.get(topic)?.[partition]?.has(rackId) !== true
    ).length;
    return own.map(({ topic, partition }) =>
      `${topic}-${partition}`
    ).sort().join(" ");
  });
  return { division, farCount };
}

const ABC: Racks = ["a", "b", "c"];
const AB: Racks = ["a", "b"];
const NONE: Racks = [null, null, null];
const ALL = ["t1", "t2", "t3"];
const UNEVEN = { t1: 6, t2: 7, t3: 2 };
const EVEN = { t1: 5, t2: 5, t3: 5 };

/** Racks that make no difference: nobody tells one, all have all, or members and replicas share none. */
const WITHOUT: readonly Pick<Case, "replicas" | "brokers" | "members">[] = [
  { replicas: 3, brokers: NONE, members: ABC },
  { replicas: 3, brokers: ABC, members: NONE },
  { replicas: 3, brokers: ABC, members: ABC },
  { replicas: 4, brokers: ["a", "b", "c", "d"], members: ABC },
  { replicas: 3, brokers: ABC, members: ["d", "e", "f"] },
  { replicas: 3, brokers: ABC, members: [null, "e", "f"] },
];

interface Expected {
  readonly replicas: number;
  readonly brokers: Racks;
  readonly division: readonly string[];
  readonly farCount: number;
}

interface Group extends Pick<Case, "topics" | "subscribed"> {
  readonly name: string;
  readonly without: readonly string[];
  readonly expected: readonly Expected[];
}

const GROUPS: readonly Group[] = [
  {
    name: "topics of many lengths, all subscribed to all",
    topics: UNEVEN,
    subscribed: [ALL, ALL, ALL],
    without: [
      "t1-0 t1-1 t2-0 t2-1 t2-2 t3-0",
      "t1-2 t1-3 t2-3 t2-4 t3-1",
      "t1-4 t1-5 t2-5 t2-6",
    ],
    expected: [
      {
        replicas: 1,
        brokers: ABC,
        division: [
          "t1-0 t1-3 t2-0 t2-3 t2-6",
          "t1-1 t1-4 t2-1 t2-4 t3-0",
          "t1-2 t1-5 t2-2 t2-5 t3-1",
        ],
        farCount: 0,
      },
      {
        replicas: 2,
        brokers: ABC,
        division: [
          "t1-0 t1-2 t2-0 t2-2 t2-3 t3-1",
          "t1-1 t1-3 t2-1 t2-4 t3-0",
          "t1-4 t1-5 t2-5 t2-6",
        ],
        farCount: 1,
      },
      {
        replicas: 3,
        brokers: AB,
        division: [
          "t1-0 t1-1 t2-0 t2-1 t2-2 t3-0",
          "t1-2 t1-3 t2-3 t2-4 t3-1",
          "t1-4 t1-5 t2-5 t2-6",
        ],
        farCount: 4,
      },
    ],
  },
  {
    name: "topics of many lengths, not all subscribed to all",
    topics: UNEVEN,
    subscribed: [ALL, ALL, ["t1", "t3"]],
    without: [
      "t1-0 t1-1 t2-0 t2-1 t2-2 t2-3 t3-0",
      "t1-2 t1-3 t2-4 t2-5 t2-6 t3-1",
      "t1-4 t1-5",
    ],
    expected: [
      {
        replicas: 1,
        brokers: ABC,
        division: [
          "t1-0 t1-3 t2-0 t2-2 t2-3 t2-6",
          "t1-1 t1-4 t2-1 t2-4 t2-5 t3-0",
          "t1-2 t1-5 t3-1",
        ],
        farCount: 2,
      },
      {
        replicas: 2,
        brokers: ABC,
        division: [
          "t1-0 t1-2 t2-0 t2-2 t2-3 t2-5 t3-1",
          "t1-1 t1-3 t2-1 t2-4 t2-6 t3-0",
          "t1-4 t1-5",
        ],
        farCount: 0,
      },
    ],
  },
  {
    name: "topics that are divided alike stay so",
    topics: EVEN,
    subscribed: [ALL, ALL, ALL],
    without: ["t1-0 t1-1 t2-0 t2-1 t3-0 t3-1", "t1-2 t1-3 t2-2 t2-3 t3-2 t3-3", "t1-4 t2-4 t3-4"],
    expected: [
      {
        replicas: 1,
        brokers: ABC,
        division: [
          "t1-0 t1-1 t2-0 t2-1 t3-0 t3-1",
          "t1-2 t1-3 t2-2 t2-3 t3-2 t3-3",
          "t1-4 t2-4 t3-4",
        ],
        farCount: 10,
      },
      {
        replicas: 2,
        brokers: ABC,
        division: [
          "t1-0 t1-1 t2-0 t2-1 t3-0 t3-1",
          "t1-2 t1-3 t2-2 t2-3 t3-2 t3-3",
          "t1-4 t2-4 t3-4",
        ],
        farCount: 5,
      },
    ],
  },
  {
    name: "topics alike for some, with a third that is not",
    topics: EVEN,
    subscribed: [ALL, ALL, ["t1", "t3"]],
    without: [
      "t1-0 t1-1 t2-0 t2-1 t2-2 t3-0 t3-1",
      "t1-2 t1-3 t2-3 t2-4 t3-2 t3-3",
      "t1-4 t3-4",
    ],
    expected: [
      {
        replicas: 1,
        brokers: ABC,
        division: [
          "t1-0 t1-1 t2-0 t2-1 t2-4 t3-0 t3-1",
          "t1-2 t1-3 t2-2 t2-3 t3-2 t3-3",
          "t1-4 t3-4",
        ],
        farCount: 9,
      },
      {
        replicas: 2,
        brokers: ABC,
        division: [
          "t1-2 t2-0 t2-1 t2-3 t3-2",
          "t1-0 t1-3 t2-2 t2-4 t3-0 t3-3",
          "t1-1 t1-4 t3-1 t3-4",
        ],
        farCount: 0,
      },
    ],
  },
];

describe("range, racks", () => {
  for (const { name, topics, subscribed, without, expected } of GROUPS) {
    test(`${name}: as ever where racks make no difference`, () => {
      for (const racks of WITHOUT) {
        expect(divide({ topics, subscribed, ...racks }).division).toEqual([...without]);
      }
    });

    test(`${name}: beside their replicas, as far as the shares allow`, () => {
      for (const { replicas, brokers, division, farCount } of expected) {
        const asked = { topics, subscribed, replicas, brokers, members: ABC };
        expect(divide(asked)).toEqual({ division: [...division], farCount });
      }
    });
  }

  test("two pairs of topics, each with members of its own, are kept together", () => {
    const pairs = [["t1", "t2"], ["t1", "t2"], ["t3", "t4"], ["t3", "t4"]];
    const topics = { t1: 6, t2: 6, t3: 2, t4: 2 };
    const members = ["a", "b", "b", "a"];
    const asked = { topics, replicas: 1, members };
    expect(divide({ ...asked, brokers: AB, subscribed: pairs })).toEqual({
      division: [
        "t1-0 t1-2 t1-4 t2-0 t2-2 t2-4",
        "t1-1 t1-3 t1-5 t2-1 t2-3 t2-5",
        "t3-1 t4-1",
        "t3-0 t4-0",
      ],
      farCount: 0,
    });
    const all = Object.keys(topics);
    expect(divide({ ...asked, brokers: AB, subscribed: [all, all, all, all] })).toEqual({
      division: [
        "t1-0 t1-2 t2-0 t2-2 t3-0 t4-0",
        "t1-1 t1-3 t2-1 t2-3 t3-1 t4-1",
        "t1-5 t2-5",
        "t1-4 t2-4",
      ],
      farCount: 0,
    });
    expect(divide({ ...asked, brokers: ABC, subscribed: [all, all, all, all] })).toEqual({
      division: [
        "t1-0 t1-3 t2-0 t2-3 t3-0 t4-0",
        "t1-1 t1-4 t2-1 t2-4 t3-1 t4-1",
        "t1-2 t2-2",
        "t1-5 t2-5",
      ],
      farCount: 6,
    });
  });

  test("three pairs of topics with the same members", () => {
    const topics = { t1: 6, t2: 6, t3: 2, t4: 2, t5: 4, t6: 4 };
    const all = Object.keys(topics);
    const subscribed = [all, all, all];
    expect(divide({ topics, subscribed, replicas: 2, brokers: ABC, members: ABC })).toEqual({
      division: [
        "t1-0 t1-2 t2-0 t2-2 t3-0 t4-0 t5-1 t6-1",
        "t1-1 t1-3 t2-1 t2-3 t3-1 t4-1 t5-2 t6-2",
        "t1-4 t1-5 t2-4 t2-5 t5-0 t5-3 t6-0 t6-3",
      ],
      farCount: 0,
    });
  });
});
