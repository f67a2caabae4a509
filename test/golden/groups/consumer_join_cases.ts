/** The first ConsumerGroupHeartbeat of a member (KIP-848): what it has to say, and patterns. */
import { consumerBeat, type ConsumerWords } from "./asks.ts";
import { type Case, one } from "./talk.ts";

/** A first heartbeat that differs in one way from a good one. */
function joining(title: string, words: ConsumerWords): Case {
  return one(`ConsumerGroupHeartbeat: a join ${title}`, (talk) => consumerBeat(talk, words));
}

const firstCases: readonly Case[] = [
  joining("in version 1", {}),
  joining("in version 0 with an id", { version: 0 }),
  joining("in version 0 without an id", { version: 0, memberId: "" }),
  joining("in version 1 without an id", { memberId: "" }),
  joining("with an id of 30000 characters", { memberId: "m".repeat(30_000) }),
  joining("with an empty group id", { groupId: "" }),
  joining("with an empty instance", { instanceId: "" }),
  joining("with an empty rack", { rackId: "" }),
  joining("without a rebalance timeout", { rebalanceTimeoutMs: -1 }),
  joining("with a rebalance timeout of 0", { rebalanceTimeoutMs: 0 }),
  joining("with a rebalance timeout below none", { rebalanceTimeoutMs: -2 }),
  joining("without partitions", { topicPartitions: null }),
  joining("without a subscription", { subscribedTopicNames: null }),
  joining("with an empty subscription", { subscribedTopicNames: [] }),
  joining("with an empty pattern", { subscribedTopicNames: null, subscribedTopicRegex: "" }),
  joining("with names and a pattern", { subscribedTopicRegex: "u.*" }),
  joining("to a topic that is not there", { subscribedTopicNames: ["missing"] }),
  joining("to a topic twice", { subscribedTopicNames: ["t", "t"] }),
  joining("with an assignor that is not there", { serverAssignor: "nonsense" }),
  joining("with an empty assignor", { serverAssignor: "" }),
  joining("with the assignor range", { serverAssignor: "range" }),
  joining("with the assignor uniform", { serverAssignor: "uniform" }),
  one(
    "ConsumerGroupHeartbeat: a join with partitions",
    (talk) =>
      consumerBeat(talk, { topicPartitions: [{ topicId: talk.topicId("t"), partitions: [0] }] }),
  ),
  one(
    "ConsumerGroupHeartbeat: a join with a group id of 30000 characters",
    (talk) => consumerBeat(talk, { groupId: talk.group.padEnd(30_000, "x") }),
  ),
  one(
    "ConsumerGroupHeartbeat: a join with a group id beyond int16",
    (talk) => consumerBeat(talk, { groupId: talk.group.padEnd(40_000, "x") }),
  ),
  one("ConsumerGroupHeartbeat: a join, again", async (talk) => {
    await consumerBeat(talk);
    await consumerBeat(talk);
    await consumerBeat(talk, { subscribedTopicNames: ["u"] });
  }),
];

/** A pattern, and what is assigned once the broker has resolved it. */
function pattern(title: string, subscribedTopicRegex: string): Case {
  return one(`ConsumerGroupHeartbeat: the pattern ${title}`, async (talk) => {
    const words = { subscribedTopicNames: null, subscribedTopicRegex };
    const { memberEpoch, errorCode } = await consumerBeat(talk, words);
    if (errorCode !== 0) return;
    await talk.pass(1500);
    const next = await consumerBeat(talk, { memberEpoch, topicPartitions: [] });
    if (next.errorCode !== 0) return;
    await consumerBeat(talk, { memberEpoch: next.memberEpoch });
  });
}

const patternCases: readonly Case[] = [
  pattern("t|u", "t|u"),
  pattern("[tu]", "[tu]"),
  pattern("__consumer.*|t, of an internal topic too", "__consumer.*|t"),
  pattern("that matches part of a name only", "^_"),
  pattern("that matches nothing", "none-of-these"),
  pattern("that nests repetitions", "(t+)+"),
  pattern("that nests repetitions without an end", "(x+x+)+y"),
  pattern("with a bracket that is open", "["),
  pattern("with a parenthesis that is open", "(t"),
  pattern("that looks ahead", "(?=t)t"),
  pattern("that refers back", "(t)\\1"),
  pattern("with a possessive repetition", "t++"),
  pattern("that repeats too often", "t{1001}"),
  pattern("without regard to case", "(?i)T"),
  pattern("of a class", "\\p{L}"),
  pattern("with a bare star", "*"),
  pattern("of 10000 characters", "t|".repeat(5000)),
];

export const consumerJoinCases: readonly Case[] = [...firstCases, ...patternCases];
