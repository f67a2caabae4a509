/**
 * A shard that is simple enough to know what it must say: it keeps one offset for each group, and lets
 * joining members wait until it is woken.
 */
import { ErrorCode } from "../../../src/api/error_code.ts";
import type {
  GroupRecord,
  OffsetCommitRecord,
} from "../../../src/api/coordinator_record/group_record.ts";
import { type Ms, type Offset, toOffset } from "../../../src/ground/numbers.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import type { Decision, GroupReply } from "../../../src/group/decision.ts";
import { errorResponse } from "../../../src/group/error_response.ts";
import type { GroupRequest } from "../../../src/group/group_request.ts";
import type { Token } from "../../../src/group/turn.ts";
import type {
  ListedGroups,
  ShardMachine,
  TopicsChange,
} from "../../../src/runtime/coordinator/shard_machine.ts";

export const JOIN_MS = 100;
export const TOPIC = "orders";

export class FakeShard implements ShardMachine {
  /** Durable: changed by `replay` only. */
  readonly offsets = new Map<string, number>();
  readonly written = new Map<string, Offset>();
  loadedCount = 0;
  wakeCount = 0;
  wakeAt: Ms | undefined;
  #joined: { readonly token: Token<unknown>; readonly groupId: string }[] = [];

  decide(now: Ms, request: GroupRequest, token: Token<unknown>): Decision {
    const { groupId } = request.body;
    switch (request.kind) {
      case "OffsetCommit": {
        const records = request.body.topics.flatMap(({ partitions }) =>
          partitions.map(({ committedOffset }) => offsetRecord(groupId, committedOffset, now))
        );
        const response = errorResponse(request, ErrorCode.None);
        return { records, replies: [{ token, groupId, response }] };
      }
      case "OffsetFetch": {
        const committedOffset = this.offsets.get(groupId) ?? -1;
        const partitions = [{ partitionIndex: 0, committedOffset, metadata: "", errorCode: 0 }];
        const response = { groupId, topics: [{ name: TOPIC, partitions }] };
        return { records: [], replies: [{ token, groupId, response }] };
      }
      case "JoinGroup":
        this.#joined.push({ token, groupId });
        this.wakeAt = now + JOIN_MS as Ms;
        return { records: [], replies: [] };
      default: {
        const response = errorResponse(request, ErrorCode.None);
        return { records: [], replies: [{ token, groupId, response }] };
      }
    }
  }

  /** Who has joined is answered, and each of their groups writes that it was woken: offset 1000. */
  wake(now: Ms): Decision {
    this.wakeCount++;
    const records = this.#joined.map(({ groupId }) => offsetRecord(groupId, 1000, now));
    const replies = this.#joined.map(({ token, groupId }): GroupReply => {
      return { token, groupId, response: { memberId: groupId, generationId: 1 } };
    });
    return { records, replies };
  }

  loaded(): Decision {
    this.loadedCount++;
    return { records: [], replies: [] };
  }

  topicsChanged(_now: Ms, { removed }: TopicsChange): Decision {
    if (!removed.some(({ name }) => name === TOPIC)) return { records: [], replies: [] };
    return { records: [...this.offsets.keys()].map((group) => tombstone(group)), replies: [] };
  }

  listGroups(): ListedGroups {
    return [...this.offsets.keys()].map((groupId) => ({ groupId, protocolType: "consumer" }));
  }

  replay(offset: Offset, record: GroupRecord): void {
    if (record.kind !== "OffsetCommit") throw new Error(`Cannot replay ${record.kind}`);
    const { key: { group }, value } = record;
    this.written.set(group, toOffset(offset + 1));
    if (value === null) this.offsets.delete(group);
    else this.offsets.set(group, value.offset);
    if (value?.offset !== 1000) return;
    this.#joined = this.#joined.filter(({ groupId }) => groupId !== group);
    if (this.#joined.length === 0) this.wakeAt = undefined;
  }

  writtenOf(groupId: string): Offset {
    return this.written.get(groupId) ?? toOffset(0);
  }
}

export function offsetRecord(group: string, offset: number, now: number): OffsetCommitRecord {
  return {
    kind: "OffsetCommit",
    key: { group, topic: TOPIC, partition: 0 },
    value: {
      offset,
      leaderEpoch: -1,
      metadata: "",
      commitTimestamp: now,
      expireTimestamp: -1,
      topicId: ZERO_UUID,
      advanceTimestamp: -1,
    },
  };
}

function tombstone(group: string): OffsetCommitRecord {
  return { kind: "OffsetCommit", key: { group, topic: TOPIC, partition: 0 }, value: null };
}
