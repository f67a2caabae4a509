/** DescribeQuorum: answered by the leader of the metadata quorum, who alone knows how far the others are. */
import { describeQuorum } from "../../api/describe_quorum.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { ResponseInput } from "../../api/schema.ts";
import { METADATA_TOPIC } from "../../metadata/topic_name.ts";
import type { ReplicaStatus } from "../../raft/status.ts";
import type { BrokerContext } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";

type Response = ResponseInput<typeof describeQuorum>;
type PartitionAnswer = Response["topics"][number]["partitions"][number];
type ReplicaAnswer = PartitionAnswer["currentVoters"][number];

const NOBODY = -1;
const NEVER = -1;

export const describeQuorumHandler = defineHandler({
  api: describeQuorum,
  isOfEveryNode: true,
  whenUndecided(_request, { errorCode, errorMessage }): Answer<typeof describeQuorum> {
    return { errorCode, errorMessage, topics: [] };
  },
  handle(broker, request): Answer<typeof describeQuorum> {
    const topics = request.topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) =>
        topicName === METADATA_TOPIC && partitionIndex === 0
          ? describe(broker)
          : unknown(partitionIndex)
      ),
    }));
    return { errorCode: ErrorCode.None, errorMessage: null, topics, nodes: nodesOf(broker) };
  },
});

function describe(broker: BrokerContext): PartitionAnswer {
  const status = broker.raft?.status();
  if (status === undefined) return unknown(0);
  const { replicas, leader, term, commitOffset } = status;
  const told = replicas.map((replica) => ({ replica, answer: replicaAnswer(broker, replica) }));
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.None,
    errorMessage: null,
    leaderId: leader?.id ?? NOBODY,
    leaderEpoch: term,
    highWatermark: commitOffset,
    currentVoters: told.flatMap(({ replica, answer }) => replica.isVoter ? [answer] : []),
    observers: told.flatMap(({ replica, answer }) => replica.isVoter ? [] : [answer]),
  };
}

function replicaAnswer({ env: { clock } }: BrokerContext, replica: ReplicaStatus): ReplicaAnswer {
  const { key: { id, directoryId }, matchOffset, lastContactMs, lastCaughtUpMs, state } = replica;
  // Moments on the monotonic clock, told on the one of the wall.
  const wallOf = (moment: number): number => {
    if (state === "self") return clock.wallMs();
    if (!Number.isFinite(moment)) return NEVER;
    return Math.max(0, Math.round(clock.wallMs() - (clock.monotonicMs() - moment)));
  };
  return {
    replicaId: id,
    replicaDirectoryId: directoryId,
    logEndOffset: matchOffset,
    lastFetchTimestamp: wallOf(lastContactMs),
    lastCaughtUpTimestamp: wallOf(lastCaughtUpMs),
  };
}

function nodesOf({ raft }: BrokerContext): NonNullable<Response["nodes"]> {
  const voters = raft?.status().configuration.voters ?? [];
  return voters.map(({ id, host, port }) => ({
    nodeId: id,
    listeners: [{ name: "CONTROLLER", host, port }],
  }));
}

function unknown(partitionIndex: number): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: ErrorCode.UnknownTopicOrPartition,
    errorMessage: "This server does not host this topic-partition.",
    leaderId: NOBODY,
    leaderEpoch: 0,
    highWatermark: -1,
    currentVoters: [],
    observers: [],
  };
}
