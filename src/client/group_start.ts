/** Where a member begins with the partitions it was given: at the commit, else where the options say. */
import { ErrorCode } from "../api/error_code.ts";
import { offsetFetch } from "../api/offset_fetch.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Assignment, Isolation } from "./consumer_options.ts";
import type { CoordinatorLink } from "./coordinator_link.ts";
import type { LogPlace } from "./group/group_progress.ts";
import type { MemberIdentity } from "./group/membership.ts";
import { byTopic, partitionKey } from "./group/partition_set.ts";
import type { TopicPartition } from "./group_options.ts";
import { listOffsetsOf } from "./list_offsets_call.ts";
import { type OffsetPoint, resolveOffsets } from "./offset_range.ts";

/** The last version that names topics by name. */
const VERSION_WITH_NAMES = 9;
/** KIP-709. */
const VERSION_WITH_GROUPS = 8;

export interface CommittedOffsets {
  /** Those without a commit are left out. */
  readonly places: ReadonlyMap<string, LogPlace>;
  /** Where it cannot be told, for now or at all. */
  readonly errors: ReadonlyMap<string, ClientError>;
}

/** What is committed, by partition. Throws a `ClientError`. */
export async function committedOffsets(
  link: CoordinatorLink,
  groupId: string,
  partitions: readonly TopicPartition[],
  identity: MemberIdentity | undefined,
): Promise<CommittedOffsets> {
  const action = `Cannot fetch the offsets of group ${groupId}`;
  const topics = byTopic(partitions).map(({ topic, partitions }) => {
    return { name: topic, partitionIndexes: partitions };
  });
  const connection = await link.connection();
  const version = connection.versionOf(offsetFetch, VERSION_WITH_NAMES) ?? 0;
  const answer = await link.ask(
    offsetFetch,
    version >= VERSION_WITH_GROUPS
      ? {
        groups: [{
          groupId,
          topics,
          memberId: identity?.memberId ?? null,
          memberEpoch: identity?.generationIdOrMemberEpoch ?? -1,
        }],
        requireStable: true,
      }
      : { groupId, topics, requireStable: true },
    { versionMax: VERSION_WITH_NAMES },
  );
  const { errorCode, topics: answered } = version >= VERSION_WITH_GROUPS
    ? answer.groups[0] ?? { errorCode: ErrorCode.UnknownServerError, topics: [] }
    : answer;
  if (errorCode !== ErrorCode.None) throw errorOfCode(errorCode, action);
  const places = new Map<string, LogPlace>();
  const errors = new Map<string, ClientError>();
  for (const { name: topic, partitions } of answered) {
    for (const { partitionIndex: partition, errorCode, ...found } of partitions) {
      const key = partitionKey({ topic, partition });
      const { committedOffset: offset, committedLeaderEpoch: leaderEpoch } = found;
      if (errorCode !== ErrorCode.None) errors.set(key, errorOfCode(errorCode, action));
      else if (offset >= 0) places.set(key, { offset, leaderEpoch });
    }
  }
  return { places, errors };
}

export interface StartOptions {
  readonly from: OffsetPoint;
  readonly isolation: Isolation;
  /** Where partitions end that are to be read to their end; filled here, once per partition. */
  readonly ends: Map<string, number> | undefined;
}

/** From where to where, by partition. Throws a `ClientError`. */
export async function startingPoints(
  tools: ClientTools,
  partitions: readonly TopicPartition[],
  committed: ReadonlyMap<string, LogPlace>,
  { from, isolation, ends }: StartOptions,
): Promise<ReadonlyMap<string, Assignment>> {
  const client = {
    admin: {
      listOffsets: (...[topic, spec, options]: DropTools<typeof listOffsetsOf>) =>
        listOffsetsOf(tools, topic, spec, options),
    },
  };
  const points = new Map<string, Assignment>();
  await Promise.all(
    byTopic(partitions).map(async ({ topic, partitions }) => {
      const keyOf = (partition: number): string => partitionKey({ topic, partition });
      const fresh = partitions.filter((partition) => !committed.has(keyOf(partition)));
      const endless = partitions.filter((partition) => ends?.has(keyOf(partition)) === false);
      const [begun, ended] = await Promise.all([
        fresh.length === 0
          ? []
          : resolveOffsets(client, topic, { from }, { partitions: fresh, isolation }),
        ends === undefined || endless.length === 0
          ? []
          : listOffsetsOf(tools, topic, "end", { partitions: endless, isolation }),
      ]);
      for (const { partition, offset, error } of ended) {
        if (error !== undefined) throw error;
        ends?.set(keyOf(partition), offset);
      }
      const starts = new Map(begun.map((assignment) => [assignment.partition, assignment.from]));
      for (const partition of partitions) {
        const place = committed.get(keyOf(partition));
        const start = place?.offset ?? starts.get(partition);
        if (start === undefined) {
          throw new ClientError("PROTOCOL", `Cannot find where ${topic}-${partition} begins`);
        }
        const until = ends?.get(keyOf(partition));
        points.set(keyOf(partition), {
          topic,
          partition,
          from: start,
          ...(place === undefined ? {} : { leaderEpoch: place.leaderEpoch }),
          ...(until === undefined ? {} : { until }),
        });
      }
    }),
  );
  return points;
}

type DropTools<F> = F extends (tools: ClientTools, ...rest: infer R) => unknown ? R : never;
