/**
 * How far a group is behind: in records, and in time by the age of the first record that it has not read.
 *
 * Right for groups without members, whose commits are all that is known of them, and for topics in which
 * nothing happens: a commit at the end is no lag, however old. Partitions that a member has without a
 * commit are there too, with nothing known of their lag.
 */
import type { ClientError } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { firstRecordTime } from "./first_record_time.ts";
import { byTopic, partitionKey } from "./group/partition_set.ts";
import type { TopicPartition } from "./group_options.ts";
import type {
  CommittedOffset,
  DescribedGroup,
  DescribedMember,
  GroupLag,
  GroupLagOptions,
  PartitionLag,
} from "./group_results.ts";
import { describedGroups } from "./group_describe_call.ts";
import { inOrder, offsetsOf } from "./group_offsets_call.ts";
import { listOffsetsOf } from "./list_offsets_call.ts";

const STUCK_MS = 5 * 60_000;
/** Batches that are read at the same time. */
const READER_COUNT = 16;

export async function lagOf(
  tools: ClientTools,
  groupId: string,
  { hasSeconds = true, stuckMs = STUCK_MS }: GroupLagOptions,
): Promise<GroupLag> {
  const [described, offsets] = await Promise.all([
    describedGroups(tools, [groupId], false),
    offsetsOf(tools, groupId, true).catch((error: ClientError) => error),
  ]);
  const group = described[0] as DescribedGroup;
  const committed = Array.isArray(offsets) ? offsets as readonly CommittedOffset[] : [];
  const error = Array.isArray(offsets) ? group.error : group.error ?? offsets as ClientError;
  if (error !== undefined && committed.length === 0) {
    return { groupId, state: "", partitions: [], error };
  }
  const members = membersByPartition(group.members);
  const commits = new Map(committed.map((offset) => [partitionKey(offset), offset]));
  const wanted = new Map<string, TopicPartition>();
  for (const offset of committed) {
    if (offset.offset >= 0) wanted.set(partitionKey(offset), offset);
  }
  for (const [key, { topic, partition }] of members) wanted.set(key, { topic, partition });
  const bounds = await boundsOf(tools, [...wanted.values()]);
  const partitions = [...wanted.values()].sort(inOrder).map(({ topic, partition }) => {
    const key = partitionKey({ topic, partition });
    const member = members.get(key)?.member;
    return inRecords({ topic, partition }, commits.get(key), bounds.get(key), member);
  });
  return {
    groupId,
    state: group.state,
    partitions: await inTime(tools, partitions, { hasSeconds, stuckMs }),
  };
}

function membersByPartition(
  members: readonly DescribedMember[],
): ReadonlyMap<string, TopicPartition & { readonly member: DescribedMember }> {
  return new Map(
    members.flatMap((member) =>
      member.assignment.flatMap(({ topic, partitions }) =>
        partitions.map((partition) =>
          [partitionKey({ topic, partition }), { topic, partition, member }] as const
        )
      )
    ),
  );
}

interface Bounds {
  readonly start: number | null;
  readonly end: number | null;
  readonly error?: ClientError;
}

async function boundsOf(
  tools: ClientTools,
  wanted: readonly TopicPartition[],
): Promise<ReadonlyMap<string, Bounds>> {
  const bounds = new Map<string, Bounds>();
  await Promise.all(
    byTopic(wanted).map(async ({ topic, partitions }) => {
      try {
        const [starts, ends] = await Promise.all([
          listOffsetsOf(tools, topic, "start", { partitions }),
          listOffsetsOf(tools, topic, "end", { partitions }),
        ]);
        const startOf = new Map(starts.map((start) => [start.partition, start]));
        for (const { partition, offset, error: endError } of ends) {
          const start = startOf.get(partition);
          const error = endError ?? start?.error;
          bounds.set(
            partitionKey({ topic, partition }),
            error === undefined
              ? { start: start?.offset ?? null, end: offset }
              : { start: null, end: null, error },
          );
        }
      } catch (thrown) {
        const error = thrown as ClientError;
        if (error.code === "ABORTED") throw error;
        for (const partition of partitions) {
          bounds.set(partitionKey({ topic, partition }), { start: null, end: null, error });
        }
      }
    }),
  );
  return bounds;
}

function inRecords(
  { topic, partition }: TopicPartition,
  commit: CommittedOffset | undefined,
  bounds: Bounds | undefined,
  member: DescribedMember | undefined,
): PartitionLag {
  const { start, end, error = commit?.error } = bounds ?? { start: null, end: null };
  const committed = commit === undefined || commit.offset < 0 ? null : commit.offset;
  return {
    topic,
    partition,
    ...(error === undefined ? {} : { error }),
    committed,
    metadata: commit?.metadata ?? "",
    start,
    end,
    lag: committed === null || end === null ? null : Math.max(end - committed, 0),
    lagSeconds: null,
    advancedAtMs: commit?.advancedAtMs ?? -1,
    isStuck: false,
    ...(member === undefined ? NOBODY : nameOf(member)),
  };
}

type Reader = Pick<PartitionLag, "memberId" | "groupInstanceId" | "clientId" | "clientHost">;

const NOBODY: Reader = { memberId: null, groupInstanceId: null, clientId: null, clientHost: null };

function nameOf({ memberId, groupInstanceId, clientId, clientHost }: DescribedMember): Reader {
  return { memberId, groupInstanceId, clientId, clientHost };
}

async function inTime(
  tools: ClientTools,
  partitions: readonly PartitionLag[],
  { hasSeconds, stuckMs }: { readonly hasSeconds: boolean; readonly stuckMs: number },
): Promise<readonly PartitionLag[]> {
  const results = partitions.slice();
  const open = [...partitions.entries()];
  const read = async (): Promise<void> => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const [index, partition] = next;
      const ageMs = await ageOf(tools, partition, hasSeconds);
      const { advancedAtMs, lag } = partition;
      const standsMs = advancedAtMs < 0 ? -1 : tools.env.clock.wallMs() - advancedAtMs;
      results[index] = {
        ...partition,
        lagSeconds: ageMs === null ? null : ageMs / 1000,
        isStuck: lag !== null && lag > 0 && standsMs >= stuckMs && (ageMs ?? stuckMs) >= stuckMs,
      };
    }
  };
  await Promise.all(Array.from({ length: READER_COUNT }, read));
  return results;
}

/** Of the first record that was not read; null where it is not known. */
async function ageOf(
  tools: ClientTools,
  { topic, partition, committed, start, end, lag }: PartitionLag,
  hasSeconds: boolean,
): Promise<number | null> {
  if (lag === 0) return 0;
  if (!hasSeconds || committed === null || start === null || end === null) return null;
  // What retention has taken is not waited for by anybody.
  const offset = Math.max(committed, start);
  const timestamp = await firstRecordTime(tools, { topic, partition, offset, until: end });
  if (timestamp === undefined) return null;
  return timestamp < 0 ? 0 : Math.max(tools.env.clock.wallMs() - timestamp, 0);
}
