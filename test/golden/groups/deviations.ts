/**
 * Where mq answers otherwise than Kafka, on purpose: by title of the case, why, and what it answers
 * instead by the place of the answer: fields that differ, the whole answer where Kafka has none, or null
 * where mq is not asked any more.
 */
export interface Deviation {
  readonly why: string;
  readonly answers: Readonly<Record<number, Readonly<Record<string, unknown>> | null>>;
}

const member = "golden-<1>";

/** A member that is alone in its group. */
function joined(metadata: string): Readonly<Record<string, unknown>> {
  return {
    errorCode: "NONE",
    generationId: 1,
    protocolType: "consumer",
    protocolName: "range",
    leader: member,
    skipAssignment: false,
    memberId: member,
    members: [{ memberId: member, groupInstanceId: null, metadata }],
  };
}

const UNANSWERED = "Kafka 4.1 fails in a timer behind the join, and never answers";
const SHARE = "Kafka has no words for it where mq says that it has no share groups";

function share(): Deviation {
  const coordinators = [{
    key: "no colons",
    nodeId: -1,
    host: "",
    port: -1,
    errorCode: "INVALID_REQUEST",
    errorMessage: SHARE,
  }];
  return { why: SHARE, answers: { 0: { coordinators } } };
}

/** Topics of the broker as a pattern finds them. */
const T = { topicId: "<id of t>", partitions: [0, 1] };
const U = { topicId: "<id of u>", partitions: [0] };
const INTERNAL = { topicId: "<1>", partitions: [0, 1, 2, 3] };

function resolvedAtOnce(...topicPartitions: readonly (typeof T)[]): Deviation {
  return {
    why:
      "a pattern is resolved within the heartbeat that brings it, not beside it, which saves an epoch",
    answers: {
      0: { assignment: { topicPartitions } },
      1: { memberEpoch: 1, assignment: null },
      2: { memberEpoch: 1 },
    },
  };
}

const PATTERN = "ConsumerGroupHeartbeat: the pattern";

const ONCE = "what is named twice is answered once: a small request must not ask for a long answer";
const SETTINGS = "A group's settings:";

/** A group of the name of the case, as DescribeGroups and ConsumerGroupDescribe tell it. */
const DESCRIBED = { errorCode: "NONE", errorMessage: "", groupId: "<group>" };
const NOT_ASKED = -2147483648;

/** Partitions of the topic t, the first of which has a commit. */
const COMMITTED = [
  { partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: -1, metadata: "m" },
  { partitionIndex: 1, committedOffset: -1, committedLeaderEpoch: -1, metadata: "" },
].map((partition) => ({ ...partition, errorCode: "NONE" }));

function fetched(...topics: readonly (readonly [name: string, count: number])[]): Deviation {
  const told = topics.map(([name, count]) => ({
    name,
    topicId: "<no id>",
    partitions: COMMITTED.slice(0, count),
  }));
  const groups = [{ groupId: "<group>", topics: told, errorCode: "NONE" }];
  return { why: ONCE, answers: { 1: { groups } } };
}

/** A setting of a group; "source": 8 its own, 5 nobody's. */
function setting(
  name: string,
  value: string,
  synonyms: readonly (readonly [name: string, value: string, source: number])[],
): Readonly<Record<string, unknown>> {
  return {
    name,
    value,
    readOnly: false,
    configSource: synonyms[0]?.[2] ?? OWN,
    isSensitive: false,
    synonyms: synonyms.map(([of, told, source]) => ({ name: of, value: told, source })),
    configType: 3,
    documentation: null,
  };
}

const OWN = 8;
const NOBODYS = 5;
const SESSION = "consumer.session.timeout.ms";
const INTERVAL = "consumer.heartbeat.interval.ms";

function settings(
  ...configs: readonly Readonly<Record<string, unknown>>[]
): Readonly<Record<string, unknown>> {
  const results = [{
    errorCode: "NONE",
    errorMessage: "",
    resourceType: 32,
    resourceName: "<group>",
    configs,
  }];
  return { results };
}

export const deviations: Readonly<Record<string, Deviation>> = {
  "FindCoordinator v5 of a share group, badly spelled": share(),
  "FindCoordinator v6 of a share group, badly spelled": share(),
  "JoinGroup with the same protocol twice": {
    why: UNANSWERED,
    answers: { 1: joined("000000000001000174ffffffff") },
  },
  "JoinGroup with metadata that is no subscription": {
    why: UNANSWERED,
    answers: { 1: joined("garbage") },
  },
  "A consumer joins a classic group with metadata that is no subscription": {
    why: UNANSWERED,
    answers: { 1: joined("garbage") },
  },
  "DescribeGroups of none, of many, and of one twice": {
    why: ONCE,
    answers: {
      3: {
        groups: [{
          ...DESCRIBED,
          groupState: "Empty",
          protocolType: "",
          protocolData: "",
          members: [],
          authorizedOperations: NOT_ASKED,
        }],
      },
    },
  },
  "ConsumerGroupDescribe of the empty group id, of none, of one twice": {
    why: ONCE,
    answers: {
      3: {
        groups: [{
          ...DESCRIBED,
          groupState: "Stable",
          groupEpoch: 1,
          assignmentEpoch: 1,
          assignorName: "uniform",
          members: [{
            memberId: "m1",
            instanceId: null,
            rackId: null,
            memberEpoch: 1,
            clientId: "golden",
            clientHost: "host",
            subscribedTopicNames: [],
            subscribedTopicRegex: "",
            assignment: { topicPartitions: [] },
            targetAssignment: { topicPartitions: [] },
            memberType: 1,
          }],
          authorizedOperations: NOT_ASKED,
        }],
      },
    },
  },
  "OffsetFetch of a partition twice, and of no partitions": fetched(["t", 1], ["u", 0]),
  "OffsetFetch of a group twice": fetched(["t", 2]),
  [`${SETTINGS} where they come from`]: {
    why: "what a group has not set itself is the broker's setting, whose name is told",
    answers: {
      0: settings(
        setting(INTERVAL, "5000", [["group.consumer.heartbeat.interval.ms", "5000", NOBODYS]]),
        setting(SESSION, "30000", [
          [SESSION, "30000", OWN],
          ["group.consumer.session.timeout.ms", "45000", NOBODYS],
        ]),
      ),
    },
  },
  [`${SETTINGS} a session of ' 30000 '`]: {
    why: "a value is told as it was given",
    answers: {
      1: settings(
        { ...setting(INTERVAL, "5000", []), configSource: NOBODYS },
        setting(SESSION, " 30000 ", []),
      ),
    },
  },
  [`${SETTINGS} an operation that is none`]: {
    why: "Kafka fails where it looks the operation up",
    answers: {
      0: {
        responses: [{
          errorCode: "INVALID_REQUEST",
          errorMessage: "some",
          resourceType: 32,
          resourceName: "<group>",
        }],
      },
    },
  },
  "OffsetDelete of the last offset of a group": {
    why: "a group without members and offsets is not there; Kafka forgets it a while later",
    answers: {
      2: {
        groups: [{
          errorCode: "GROUP_ID_NOT_FOUND",
          errorMessage: "some",
          groupId: "<group>",
          groupState: "Dead",
          protocolType: "",
          protocolData: "",
          members: [],
          authorizedOperations: -2147483648,
        }],
      },
    },
  },
  "ConsumerGroupHeartbeat: a join with names and a pattern": resolvedAtOnce(T, U),
  [`${PATTERN} t|u`]: resolvedAtOnce(T, U),
  [`${PATTERN} [tu]`]: resolvedAtOnce(T, U),
  [`${PATTERN} __consumer.*|t, of an internal topic too`]: resolvedAtOnce(INTERNAL, T),
  [`${PATTERN} that nests repetitions`]: resolvedAtOnce(T),
  [`${PATTERN} without regard to case`]: resolvedAtOnce(T),
  [`${PATTERN} of a class`]: resolvedAtOnce(T, U),
  [`${PATTERN} of 10000 characters`]: {
    why: "a pattern has an end: to compile a long one holds up everybody",
    answers: {
      0: {
        errorCode: "INVALID_REGULAR_EXPRESSION",
        errorMessage: "some",
        memberId: null,
        memberEpoch: 0,
        heartbeatIntervalMs: 0,
        assignment: null,
      },
      1: null,
      2: null,
    },
  },
};
