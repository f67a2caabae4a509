/**
 * OffsetFetch: committed offsets of one group, from version 8 on of many.
 *
 * A group is asked in the form of version 8, whatever the version of the request. From version 10 on
 * topics go by their ids; those that nobody knows are answered here.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { offsetFetch } from "../../api/offset_fetch.ts";
import type { RequestOf } from "../../api/schema.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import type { FetchedGroup, OffsetFetchGroup } from "../../group/group_request.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { BrokerContext, Call } from "../broker_context.ts";
import { askEach, callerOf } from "../group_call.ts";
import { type Answer, defineHandler } from "../handler.ts";

type Request = RequestOf<typeof offsetFetch>;
type Asked = NonNullable<Request["groups"][number]["topics"]>[number];
type Found = OffsetFetchGroup["topics"][number];

const TOP_ERROR_FROM_VERSION = 2;
const GROUPS_FROM_VERSION = 8;
const IDS_FROM_VERSION = 10;

export const offsetFetchHandler = defineHandler({
  api: offsetFetch,
  async handle(broker, request, call): Promise<Answer<typeof offsetFetch>> {
    const { requireStable, includeProgress } = request;
    const groups = await askEach(
      broker.env,
      groupsOf(request, call),
      (group) => fetchGroup(broker, { ...group, requireStable, includeProgress }, call),
    );
    if (call.apiVersion >= GROUPS_FROM_VERSION) return { groups };
    const [group] = groups as readonly [OffsetFetchGroup];
    return ofOne(group, request, call);
  },
});

function groupsOf(request: Request, { apiVersion }: Call): Request["groups"] {
  if (apiVersion >= GROUPS_FROM_VERSION) return onceEach(request.groups);
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  return [{ groupId: request.groupId, memberId: null, memberEpoch: -1, topics }];
}

/** A group that is named twice is asked once, for all that it is asked for. */
function onceEach(groups: Request["groups"]): Request["groups"] {
  const asked = new Map<string, { group: Request["groups"][number]; topics: Asked[] | null }>();
  for (const group of groups) {
    const known = asked.get(group.groupId);
    if (known === undefined) {
      asked.set(group.groupId, { group, topics: group.topics === null ? null : [...group.topics] });
    } else if (group.topics === null) known.topics = null;
    else for (const topic of group.topics) known.topics?.push(topic);
  }
  return Array.from(asked.values(), ({ group, topics }) => ({ ...group, topics }));
}

async function fetchGroup(
  { groups, image }: BrokerContext,
  body: FetchedGroup,
  call: Call,
): Promise<OffsetFetchGroup> {
  const caller = callerOf(call);
  if (call.apiVersion < IDS_FROM_VERSION) {
    return await groups.ask({ kind: "OffsetFetch", body, caller });
  }
  const asked = body.topics?.map((topic) => withName(image, topic)) ?? null;
  const topics = asked?.filter(({ name }) => name !== "") ?? null;
  const found = await groups.ask({ kind: "OffsetFetch", body: { ...body, topics }, caller });
  if ((found.errorCode ?? ErrorCode.None) !== ErrorCode.None) return found;
  const unknown = asked?.filter(({ name }) => name === "").map(unknownTopic) ?? [];
  return { ...found, topics: [...found.topics.flatMap((one) => withId(image, one)), ...unknown] };
}

function withName(image: ClusterImage, topic: Asked): Asked {
  const { topicId } = topic;
  const name = topicId === ZERO_UUID ? undefined : image.topicById(topicId)?.name;
  return { ...topic, name: name ?? "" };
}

/** A topic whose id nobody knows cannot be told. */
function withId(image: ClusterImage, topic: Found): readonly Found[] {
  if ((topic.topicId ?? ZERO_UUID) !== ZERO_UUID) return [topic];
  const topicId = image.topic(topic.name ?? "")?.topicId;
  return topicId === undefined ? [] : [{ ...topic, topicId }];
}

function unknownTopic({ topicId, partitionIndexes }: Asked): Found {
  return { topicId, partitions: failedPartitions(partitionIndexes, ErrorCode.UnknownTopicId) };
}

function failedPartitions(
  partitionIndexes: readonly number[],
  errorCode: number,
): Found["partitions"] {
  return partitionIndexes.map((partitionIndex) => {
    return { partitionIndex, committedOffset: -1, metadata: "", errorCode };
  });
}

/** The answer of before version 8; before version 2 an error has no place but the partitions. */
function ofOne(
  { topics, errorCode = ErrorCode.None }: OffsetFetchGroup,
  request: Request,
  { apiVersion }: Call,
): Answer<typeof offsetFetch> {
  const isOfPartitions = apiVersion < TOP_ERROR_FROM_VERSION && errorCode !== ErrorCode.None;
  const told = isOfPartitions
    ? request.topics?.map(({ name, partitionIndexes }) => ({
      name,
      partitions: failedPartitions(partitionIndexes, errorCode),
    })) ?? []
    : topics;
  return {
    errorCode,
    topics: told.map(({ name = "", partitions }) => ({ name, partitions })),
  };
}
