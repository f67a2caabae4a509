/**
 * When a topic had come, one heartbeat tried all patterns of its group at all topics: seconds, in which
 * nobody else was served. Now each heartbeat tries a few, and all have their turn.
 */
import { expect, test } from "bun:test";
import type { GroupRecord } from "../../src/api/coordinator_record/group_record.ts";
import { Coordinator } from "../group/coordinator.ts";
import { consumerHeartbeat } from "../group/requests.ts";

const MEMBERS = 20;

function triedIn(records: readonly GroupRecord[]): number {
  return records.filter(({ kind }) => kind === "ConsumerGroupRegularExpression").length;
}

test("a heartbeat tries a few patterns, and every pattern finds the new topic", () => {
  let triedCount = 0;
  const regexes = {
    compile: (pattern: string) => (topic: string): boolean => {
      triedCount++;
      return topic.startsWith(pattern.slice(0, 1));
    },
  };
  const coordinator = new Coordinator({ regexes });
  coordinator.createTopic("topic", 1);
  const epochs = new Map<string, number>();
  const beat = (memberId: string, isFirst: boolean): void => {
    const answer = coordinator.ask(consumerHeartbeat({
      memberId,
      memberEpoch: epochs.get(memberId) ?? 0,
      subscribedTopicNames: isFirst ? [] : null,
      subscribedTopicRegex: isFirst ? `t-${memberId}` : null,
      topicPartitions: isFirst ? [] : null,
    }));
    epochs.set(memberId, answer.memberEpoch ?? 0);
  };
  const members = Array.from({ length: MEMBERS }, (_, at) => `m${at}`);
  for (const memberId of members) beat(memberId, true);
  coordinator.advance(11_000);
  coordinator.createTopic("two", 1);
  triedCount = 0;
  for (const memberId of members) {
    const before = coordinator.log.length;
    const triedBefore = triedCount;
    beat(memberId, false);
    expect(triedIn(coordinator.log.slice(before))).toBeLessThanOrEqual(4);
    expect(triedCount - triedBefore).toBeLessThanOrEqual(4 * 2); // patterns times topics
  }
  const meant = new Map<string, number>();
  for (const record of coordinator.log) {
    if (record.kind !== "ConsumerGroupRegularExpression") continue;
    meant.set(record.key.regularExpression, record.value?.topics.length ?? 0);
  }
  expect([...meant.values()]).toEqual(members.map(() => 2));
});
