/**
 * Produce: appends a batch to each partition of the request, and answers as `acks` asks.
 *
 * acks=0: no answer; a refused batch closes the connection, which is all that can be told.
 * acks=1: answered once it is in the log. acks=all: once the high watermark has passed it, which for a
 * topic of class quorum-fsync means that it is on the disk.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { produce } from "../../api/produce.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import { BatchView } from "../../record/batch_view.ts";
import { BATCH_HEADER_BYTES } from "../../record/format.ts";
import { isInternalTopic } from "../../metadata/topic_name.ts";
import type { Partition } from "../../runtime/partition.ts";
import {
  appendFromProducer,
  type AppendResult,
  type AppendTools,
  toolsOfRequest,
} from "../../runtime/partition_append.ts";
import type { BrokerContext, Call } from "../broker_context.ts";
import { type Answer, CloseConnection, defineHandler, NO_REPLY } from "../handler.ts";
import { partitionOf } from "../partition_of.ts";

type Request = RequestOf<typeof produce>;
type PartitionData = Request["topicData"][number]["partitionData"][number];
type PartitionResponse = ResponseInput<
  typeof produce
>["responses"][number]["partitionResponses"][number];

const ADMIN_CLIENT_ID = "__admin_client";
const ACKS_NONE = 0;
const ACKS_LEADER = 1;
const ACKS_ALL = -1;
const ZSTD_FROM_VERSION = 7; // KIP-110

/** One batch of a request while it is under way. */
interface Outcome {
  readonly index: number;
  readonly partition: Partition | undefined;
  readonly result: AppendResult;
}

/** What all batches of a request have in common. */
interface Work {
  readonly request: Request;
  readonly call: Call;
  readonly tools: AppendTools;
}

export const produceHandler = defineHandler({
  api: produce,
  handle(broker, request, call): Answer<typeof produce> | Promise<Answer<typeof produce>> {
    const tools = toolsOfRequest(broker.appendTools);
    const topics = request.topicData.map((topic) => ({
      name: topic.name,
      outcomes: topic.partitionData.map((data) =>
        append(broker, { request, call, tools }, topic.name, data)
      ),
    }));
    if (request.acks === ACKS_NONE) return afterNoAcks(topics.flatMap((topic) => topic.outcomes));
    const commits = request.acks === ACKS_ALL
      ? topics.flatMap((topic) => topic.outcomes.flatMap(commitOf))
      : [];
    const answer = (): Answer<typeof produce> => ({
      responses: topics.map(({ name, outcomes }) => ({
        name,
        partitionResponses: outcomes.map((outcome) => responseOf(outcome, request.acks)),
      })),
    });
    return commits.length === 0 ? answer() : Promise.all(commits).then(answer);
  },
});

function append(
  broker: BrokerContext,
  { request, call, tools }: Work,
  topic: string,
  data: PartitionData,
): Outcome {
  const found = isForbidden(topic, call)
    ? ErrorCode.InvalidTopicException
    : partitionOf(broker, topic, data.index);
  const errorCode = typeof found === "number" ? found : refuse(request, found, data.records);
  if (typeof found === "number" || errorCode !== undefined) {
    const message = broker.partitions.whyOffline(topic, data.index) ?? null;
    const result = { kind: "refused", errorCode: errorCode as ErrorCode, message } as const;
    return { index: data.index, partition: undefined, result };
  }
  const isZstdAllowed = call.apiVersion >= ZSTD_FROM_VERSION;
  const result = appendFromProducer(found, data.records, isZstdAllowed, tools);
  if (result.kind === "appended") {
    const counters = broker.metrics.topic(topic);
    counters.messagesIn.add(result.recordCount);
    counters.bytesIn.add(data.records?.length ?? 0);
  }
  return { index: data.index, partition: found, result };
}

/**
 * What the broker keeps for itself is not written by clients: one bad record of a group could not be
 * read by its coordinator. Whoever names itself as Kafka's own admin client may (kafka: AdminUtils).
 */
function isForbidden(topic: string, { clientId }: Call): boolean {
  return isInternalTopic(topic) && clientId !== ADMIN_CLIENT_ID;
}

/** Whether a batch says that it is part of a transaction; what is no batch is found out later. */
function isTransactional(records: Uint8Array | null): boolean {
  return records !== null && records.length >= BATCH_HEADER_BYTES &&
    new BatchView(records).isTransactional();
}

function refuse(
  request: Request,
  partition: Partition,
  records: Uint8Array | null,
): ErrorCode | undefined {
  const { acks } = request;
  if (acks !== ACKS_ALL && acks !== ACKS_LEADER && acks !== ACKS_NONE) {
    return ErrorCode.InvalidRequiredAcks;
  }
  if (request.transactionalId !== null) return ErrorCode.InvalidTxnState; // there are none yet
  // Nobody would ever end that transaction, and who reads committed records only would wait for ever.
  if (isTransactional(records)) return ErrorCode.TransactionalIdAuthorizationFailed;
  // The in-sync set is this broker alone.
  const isShort = acks === ACKS_ALL && partition.settings.minInsyncReplicas > 1;
  return isShort ? ErrorCode.NotEnoughReplicas : undefined;
}

function commitOf({ partition, result }: Outcome): readonly Promise<boolean>[] {
  if (result.kind !== "appended") return [];
  const commit = partition?.whenCommitted(result.nextOffset);
  return commit === undefined ? [] : [commit];
}

function responseOf({ index, partition, result }: Outcome, acks: number): PartitionResponse {
  if (result.kind === "refused") {
    const { errorCode, message, recordIndex } = result;
    const recordErrors = recordIndex === undefined
      ? []
      : [{ batchIndex: recordIndex, batchIndexErrorMessage: message }];
    return { index, errorCode, baseOffset: -1, recordErrors, errorMessage: message };
  }
  // What was appended is not acknowledged when the disk failed before it was durable.
  const isLost = acks === ACKS_ALL && partition !== undefined &&
    partition.highWatermark < result.nextOffset;
  const errorIfLost = partition?.isClosed === true
    ? ErrorCode.UnknownTopicOrPartition // deleted while its batch was waited for
    : partition?.isLeader === false
    ? ErrorCode.NotLeaderOrFollower
    : ErrorCode.KafkaStorageError;
  return {
    index,
    errorCode: isLost ? errorIfLost : ErrorCode.None,
    baseOffset: isLost ? -1 : result.baseOffset,
    logAppendTimeMs: result.logAppendTimeMs,
    logStartOffset: partition?.log.logStartOffset ?? -1,
  };
}

function afterNoAcks(outcomes: readonly Outcome[]): Answer<typeof produce> {
  const refused = outcomes.find(({ result }) => result.kind === "refused")?.result;
  return refused?.kind === "refused"
    ? new CloseConnection(`a batch sent with acks=0 was refused with error ${refused.errorCode}`)
    : NO_REPLY;
}
