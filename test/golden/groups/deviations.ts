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
