/**
 * When a topic came, the patterns of all groups were asked in one turn whether they mean it: two thousand
 * groups with a pattern each held the loop for half a second.
 */
import { expect, test } from "bun:test";
import { Coordinator, REGEXES } from "../group/coordinator.ts";
import { consumerHeartbeat } from "../group/requests.ts";

const GROUPS = 100;

test("a few groups a turn are asked whether they mean a new topic", () => {
  let asked = 0;
  const compile = (pattern: string): ReturnType<typeof REGEXES.compile> => {
    asked++;
    return REGEXES.compile(pattern);
  };
  const coordinator = new Coordinator({ isChecked: false, regexes: { compile } });
  const groupIds = Array.from({ length: GROUPS }, (_, at) => `g${at}`);
  const epochs = new Map<string, number>();
  const beat = (groupId: string): number => {
    const memberEpoch = epochs.get(groupId) ?? 0;
    const isNew = memberEpoch === 0;
    const answer = coordinator.ask(consumerHeartbeat({
      groupId,
      memberId: "m",
      memberEpoch,
      rebalanceTimeoutMs: isNew ? 10_000 : -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: isNew ? `t|${groupId}` : null,
      topicPartitions: isNew ? [] : null,
    }));
    epochs.set(groupId, answer.memberEpoch ?? 0);
    return answer.assignment?.topicPartitions.length ?? 0;
  };
  for (const groupId of groupIds) expect(beat(groupId)).toBe(0);
  coordinator.advance(11_000);
  asked = 0;
  coordinator.createTopic("t", 1);
  expect(asked).toBeLessThan(20);
  coordinator.wakeAll();
  expect(asked).toBe(GROUPS);
  for (const groupId of groupIds) expect(beat(groupId)).toBe(1);
});
