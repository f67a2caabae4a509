/**
 * "range": of each topic by itself, members in order get runs of equal length; the first get the rest.
 *
 * Topics with equally many partitions and the same subscribers are divided alike, so that equal keys of
 * both come to one member. Not here: racks (KIP-881), which a leader may ignore.
 */
import type { TopicPartition } from "../../group_options.ts";
import { type Assignor, compare, type Division, sortedMembers } from "./assignor.ts";

export const range: Assignor = {
  name: "range",
  isCooperative: false,
  divide(members, counts): Division {
    const division = new Map(members.map(({ memberId }) => [memberId, [] as TopicPartition[]]));
    const sorted = sortedMembers(members);
    for (const [topic, count] of [...counts].sort(([left], [right]) => compare(left, right))) {
      const subscribers = sorted.filter(({ topics }) => topics.includes(topic));
      const share = Math.floor(count / subscribers.length);
      const rest = count % subscribers.length;
      let partition = 0;
      for (const [index, { memberId }] of subscribers.entries()) {
        const end = partition + share + (index < rest ? 1 : 0);
        for (; partition < end; partition++) division.get(memberId)?.push({ topic, partition });
      }
    }
    return division;
  },
};
