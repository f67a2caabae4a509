/**
 * What the driver of a shard drives: the pure machine over one partition of `__consumer_offsets`
 * (`group/group_shard.ts`), as narrow as it is needed here.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import type { listGroups } from "../../api/list_groups.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import type { Ms, Offset } from "../../ground/numbers.ts";
import type { Uuid } from "../../ground/uuid.ts";
import type { Decision } from "../../group/decision.ts";
import type { GroupRequest, ResponseTo } from "../../group/group_request.ts";
import type { Token } from "../../group/turn.ts";

export interface TopicsChange {
  readonly removed: readonly { readonly name: string; readonly topicId: Uuid }[];
  /** Names of topics that are new or altered. */
  readonly changed: readonly string[];
}

export type GroupsFilter = RequestOf<typeof listGroups>;
export type ListedGroups = ResponseInput<typeof listGroups>["groups"];

export interface ShardMachine {
  decide<Request extends GroupRequest>(
    now: Ms,
    request: Request,
    token: Token<ResponseTo<Request>>,
  ): Decision;
  wake(now: Ms): Decision;
  /** Undefined where nothing is to be done by itself. */
  readonly wakeAt: Ms | undefined;
  /** The log was replayed to its end. */
  loaded(now: Ms): Decision;
  topicsChanged(now: Ms, change: TopicsChange): Decision;
  listGroups(now: Ms, filter: GroupsFilter): ListedGroups;
  replay(offset: Offset, record: GroupRecord): void;
  /** Behind the last record of the group that was replayed; 0 where there is none. */
  writtenOf(groupId: string): Offset;
}
