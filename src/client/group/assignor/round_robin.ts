/** "roundrobin": all partitions of all topics in order, dealt to the members in turn. */
import type { TopicPartition } from "../../group_options.ts";
import { type Assignor, compare, type Division, sortedMembers } from "./assignor.ts";

export const roundRobin: Assignor = {
  name: "roundrobin",
  isCooperative: false,
  divide(members, counts): Division {
    const division = new Map(members.map(({ memberId }) => [memberId, [] as TopicPartition[]]));
    const sorted = sortedMembers(members).map(({ memberId, topics }) => {
      return { memberId, topics: new Set(topics) };
    });
    let turn = 0;
    for (const [topic, count] of [...counts].sort(([left], [right]) => compare(left, right))) {
      if (!sorted.some(({ topics }) => topics.has(topic))) continue;
      for (let partition = 0; partition < count; partition++) {
        while (sorted[turn % sorted.length]?.topics.has(topic) === false) turn++;
        const memberId = sorted[turn++ % sorted.length]?.memberId ?? "";
        division.get(memberId)?.push({ topic, partition });
      }
    }
    return division;
  },
};
