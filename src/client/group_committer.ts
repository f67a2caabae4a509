/**
 * Commits what a member is done with, one commit after the other, as the member that it is at the moment.
 *
 * Tried again where the coordinator has moved, loads, or knows another epoch of the member by now; given
 * up where it says that the group went on without this member. What is not owned any more when its turn
 * comes is left out: somebody else speaks for it. What is done while a commit is under way is left to
 * the next one; else none would ever end under a reader that goes on.
 */
import { ErrorCode } from "../api/error_code.ts";
import { type ClientError, errorOfCode } from "./client_error.ts";
import { isElsewhere, isPassing } from "./group/group_errors.ts";
import type { Committable, Progress } from "./group/group_progress.ts";
import type { MemberIdentity } from "./group/membership.ts";
import { commitItems } from "./group_commit_call.ts";
import type { GroupMember } from "./group_member.ts";
import { within } from "./retry.ts";

/** A commit whose time is up when its turn comes still gets so long. */
const TRY_MS_MIN = 1000;

type Outcome = "sent" | { readonly error: ClientError; readonly isRetriable: boolean };

export class GroupCommitter {
  readonly #member: GroupMember;
  #last: Promise<unknown> = Promise.resolve();

  constructor(member: GroupMember) {
    this.#member = member;
  }

  /**
   * What is done of these, or of all. The error is the first that stands; undefined = all is committed.
   * The time counts from now on, waiting for commits before this one included.
   */
  commit(timeoutMs: number, entries?: readonly Progress[]): Promise<ClientError | undefined> {
    const deadlineMs = this.#member.now() + timeoutMs;
    const commit = this.#last.then(() => this.#commit(deadlineMs, entries));
    this.#last = commit.catch(() => undefined);
    return commit;
  }

  async #commit(
    deadlineMs: number,
    entries: readonly Progress[] | undefined,
  ): Promise<ClientError | undefined> {
    const { options: { groupId }, progress, membership, signal, now, pause } = this.#member;
    for (let attempt = 1;; attempt++) {
      const items = progress.committable(entries);
      if (items.length === 0) return undefined;
      const { identity } = membership;
      let error = errorOfCode(ErrorCode.RebalanceInProgress, `Cannot commit in group ${groupId}`);
      if (identity !== undefined) {
        const refused: ClientError[] = [];
        const timeoutMs = Math.max(deadlineMs - now(), TRY_MS_MIN);
        const outcome = await this.#send(items, { identity, refused, timeoutMs });
        if (outcome === "sent") return refused[0];
        error = outcome.error;
        if (!outcome.isRetriable) return error;
      }
      if (signal.aborted || now() >= deadlineMs) return error;
      await pause(attempt);
    }
  }

  async #send(items: readonly Committable[], { identity, refused, timeoutMs }: {
    readonly identity: MemberIdentity;
    /** Gets the errors that concern one partition each. */
    readonly refused: ClientError[];
    readonly timeoutMs: number;
  }): Promise<Outcome> {
    const { tools, options: { groupId }, link, membership, now, onChange } = this.#member;
    const action = `Cannot commit in group ${groupId}`;
    let codeOf: (item: Committable) => number;
    try {
      const asked = commitItems(link, { groupId, items, identity, timeoutMs });
      codeOf = await within(tools.env.clock, timeoutMs, asked, action);
    } catch (thrown) {
      const error = thrown as ClientError;
      if (error.code === "TIMEOUT") link.forget();
      return { error, isRetriable: error.retriable };
    }
    for (const item of items) {
      const code = codeOf(item);
      const error = errorOfCode(code, `Cannot commit ${item.topic}-${item.partition}`);
      if (code === ErrorCode.None) {
        item.progress.committed = item.offset;
      } else if (isPassing(code)) {
        if (isElsewhere(code)) link.forget();
        return { error, isRetriable: true };
      } else if (isOfPartition(code)) {
        refused.push(error);
      } else {
        const verdict = membership.commitRefused(now(), code, identity);
        onChange();
        return { error, isRetriable: verdict === "retry" };
      }
    }
    return "sent";
  }
}

/** Only this partition is concerned: the topic is gone, or may not be read. */
function isOfPartition(code: number): boolean {
  return code === ErrorCode.UnknownTopicOrPartition || code === ErrorCode.UnknownTopicId ||
    code === ErrorCode.TopicAuthorizationFailed || code === ErrorCode.OffsetMetadataTooLarge;
}
