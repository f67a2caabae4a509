/** DescribeQuorum: answered by the leader of the metadata quorum, who alone knows how far the others are. */
import { describeQuorum } from "../../api/describe_quorum.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { ResponseInput } from "../../api/schema.ts";
import { METADATA_TOPIC } from "../../metadata/topic_name.ts";
import type { ReplicaStatus } from "../../raft/status.ts";
import type { ObserverStatus } from "../../runtime/quorum/observers.ts";
import type { BrokerContext } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";

type Response = ResponseInput<typeof describeQuorum>;
type PartitionAnswer = Response["topics"][number]["partitions"][number];
type ReplicaAnswer = PartitionAnswer["currentVoters"][number];

const NOBODY = -1;
const NEVER = -1;
/** Where no listener is for controllers alone, the one that voters talk to takes everybody. */
const ANY_LISTENER = "CONTROLLER";

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
  const members = replicas.map((replica) => ({ replica, answer: replicaAnswer(broker, replica) }));
  const memberIds = new Set(replicas.map(({ key }) => key.id));
  const followers = broker.observers().filter(({ key }) => !memberIds.has(key.id));
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.None,
    errorMessage: null,
    leaderId: leader?.id ?? NOBODY,
    leaderEpoch: term,
    highWatermark: commitOffset,
    currentVoters: members.flatMap(({ replica, answer }) => replica.isVoter ? [answer] : []),
    // Learners of the quorum, and nodes that pull what is committed without ever having a vote.
    observers: [
      ...members.flatMap(({ replica, answer }) => replica.isVoter ? [] : [answer]),
      ...followers.map((follower) => observerAnswer(broker, follower)),
    ],
  };
}

function replicaAnswer(broker: BrokerContext, replica: ReplicaStatus): ReplicaAnswer {
  const { key: { id, directoryId }, matchOffset, lastContactMs, lastCaughtUpMs, state } = replica;
  // The leader has caught up with itself at any moment.
  const now = broker.env.clock.monotonicMs();
  return {
    replicaId: id,
    replicaDirectoryId: directoryId,
    logEndOffset: matchOffset,
    lastFetchTimestamp: wallOf(broker, state === "self" ? now : lastContactMs),
    lastCaughtUpTimestamp: wallOf(broker, state === "self" ? now : lastCaughtUpMs),
  };
}

function observerAnswer(broker: BrokerContext, observer: ObserverStatus): ReplicaAnswer {
  const { key: { id, directoryId }, endOffset, lastContactMs, lastCaughtUpMs } = observer;
  return {
    replicaId: id,
    replicaDirectoryId: directoryId,
    logEndOffset: endOffset,
    lastFetchTimestamp: wallOf(broker, lastContactMs),
    lastCaughtUpTimestamp: wallOf(broker, lastCaughtUpMs),
  };
}

/** A moment of the monotonic clock on that of the wall; a negative one is never. */
function wallOf({ env: { clock } }: BrokerContext, moment: number): number {
  if (!Number.isFinite(moment) || moment < 0) return NEVER;
  return Math.max(0, Math.round(clock.wallMs() - (clock.monotonicMs() - moment)));
}

function nodesOf({ raft, settings }: BrokerContext): NonNullable<Response["nodes"]> {
  const voters = raft?.status().configuration.voters ?? [];
  const [name = ANY_LISTENER] = settings.get("controller.listener.names") ?? [];
  return voters.map(({ id, host, port }) => ({ nodeId: id, listeners: [{ name, host, port }] }));
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
