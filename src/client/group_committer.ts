/**
 * Commits what a member is done with, one commit after the other, as the member that it is at the moment.
 *
 * Tried again where the coordinator has moved, loads, or knows another epoch of the member by now; given
 * up where it says that the group went on without this member. What is not owned any more when its turn
 * comes is left out: somebody else speaks for it.
 */
import { ErrorCode } from "../api/error_code.ts";
import { offsetCommit } from "../api/offset_commit.ts";
import type { RequestInput } from "../api/schema.ts";
import { type ClientError, errorOfCode } from "./client_error.ts";
import type { CoordinatorLink } from "./coordinator_link.ts";
import { isElsewhere, isPassing } from "./group/group_errors.ts";
import type { Committable, GroupProgress, Progress } from "./group/group_progress.ts";
import type { MemberIdentity, Membership } from "./group/membership.ts";
import { byTopic, partitionKey } from "./group/partition_set.ts";
import type { Clock } from "../env/clock.ts";

/** The last version that names topics by name. */
const VERSION_WITH_NAMES = 9;

export interface CommitterOptions {
  readonly groupId: string;
  readonly link: CoordinatorLink;
  readonly progress: GroupProgress;
  readonly membership: Membership;
  readonly clock: Clock;
  /** The membership was told something: see what it wants. */
  onChange(): void;
  /** Resolves when something has happened to the membership, or the pause behind try n is over. */
  pause(attempt: number): Promise<void>;
  readonly signal: AbortSignal;
}

export class GroupCommitter {
  readonly #options: CommitterOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /** What is done of these, or of all. The error is the first that stands; undefined = all is committed. */
  commit(timeoutMs: number, entries?: readonly Progress[]): Promise<ClientError | undefined> {
    const commit = this.#last.then(() => this.#commit(timeoutMs, entries));
    this.#last = commit.catch(() => undefined);
    return commit;
  }

  async #commit(
    timeoutMs: number,
    entries: readonly Progress[] | undefined,
  ): Promise<ClientError | undefined> {
    const { progress, membership, clock, signal, groupId } = this.#options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const refused = new Map<Progress, ClientError>();
    let error: ClientError | undefined;
    for (let attempt = 1;; attempt++) {
      const items = progress.committable(entries).filter((item) => !refused.has(item.progress));
      if (items.length === 0) return refused.values().next().value;
      const { identity } = membership;
      if (identity === undefined) {
        error = errorOfCode(ErrorCode.RebalanceInProgress, `Cannot commit in group ${groupId}`);
      } else {
        const outcome = await this.#send(items, identity, refused);
        if (outcome === "sent") continue; // nothing is left, or what was done in the meantime
        error = outcome.error;
        if (!outcome.isRetriable) return error;
      }
      if (signal.aborted || clock.monotonicMs() >= deadlineMs) return error;
      await this.#options.pause(attempt);
    }
  }

  async #send(
    items: readonly Committable[],
    identity: MemberIdentity,
    refused: Map<Progress, ClientError>,
  ): Promise<"sent" | { readonly error: ClientError; readonly isRetriable: boolean }> {
    const { link, groupId, membership, clock } = this.#options;
    const body = commitBody(groupId, items, identity);
    let codes: ReadonlyMap<string, number>;
    try {
      const answer = await link.ask(offsetCommit, body, { versionMax: VERSION_WITH_NAMES });
      codes = codesIn(answer.topics);
    } catch (thrown) {
      const error = thrown as ClientError;
      return { error, isRetriable: error.retriable };
    }
    for (const item of items) {
      const code = codes.get(partitionKey(item)) ?? ErrorCode.UnknownServerError;
      const error = errorOfCode(code, `Cannot commit ${item.topic}-${item.partition}`);
      if (code === ErrorCode.None) {
        item.progress.committed = item.offset;
      } else if (isPassing(code)) {
        if (isElsewhere(code)) link.forget();
        return { error, isRetriable: true };
      } else if (isOfPartition(code)) {
        refused.set(item.progress, error);
      } else {
        const verdict = membership.commitRefused(clock.monotonicMs(), code, identity);
        this.#options.onChange();
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

function commitBody(
  groupId: string,
  items: readonly Committable[],
  identity: MemberIdentity,
): RequestInput<typeof offsetCommit> {
  const offsets = new Map(items.map((item) => [partitionKey(item), item.offset]));
  return {
    groupId,
    ...identity,
    topics: byTopic(items).map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map((partition) => ({
        partitionIndex: partition,
        committedOffset: offsets.get(partitionKey({ topic, partition })) ?? 0,
        committedMetadata: "",
      })),
    })),
  };
}

function codesIn(
  topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly errorCode: number;
    }[];
  }[],
): ReadonlyMap<string, number> {
  return new Map(
    topics.flatMap(({ name: topic, partitions }) =>
      partitions.map(({ partitionIndex: partition, errorCode }) =>
        [partitionKey({ topic, partition }), errorCode] as const
      )
    ),
  );
}
