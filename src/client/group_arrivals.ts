/**
 * Begins to read the partitions that a member is given: finds out where, and hands them to the fetcher.
 *
 * Each topic by itself, and partitions that have no leader apart from the others: what is away keeps
 * nothing else waiting. Tried again for as long as they are this member's; whose they are is decided
 * elsewhere.
 */
import { type ClientError, errorFrom } from "./client_error.ts";
import type { LogPlace, Progress } from "./group/group_progress.ts";
import { partitionKey } from "./group/partition_set.ts";
import type { GroupMember } from "./group_member.ts";
import type { TopicPartition } from "./group_options.ts";
import { committedOffsets, startingPoints } from "./group_start.ts";

export class GroupArrivals {
  readonly #member: GroupMember;
  /** Where partitions end that are to be read to their end. */
  readonly #ends: Map<string, number> | undefined;
  #startingCount = 0;

  constructor(member: GroupMember) {
    this.#member = member;
    this.#ends = member.options.until === "end" ? new Map() : undefined;
  }

  /** Whether it is still being found out where to begin with some. */
  get isStarting(): boolean {
    return this.#startingCount > 0;
  }

  /** Its log ends elsewhere by now: looked up once more where it is assigned again. */
  forgetEnd(partition: TopicPartition): void {
    this.#ends?.delete(partitionKey(partition));
  }

  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    const { options, progress, link, signal, fail, pause } = this.#member;
    const entries = partitions.map((partition) => progress.add(partition));
    options.onAssigned?.(partitions);
    this.#startingCount++;
    for (let attempt = 1; !signal.aborted; attempt++) {
      const wanted = entries.filter((entry) => {
        return entry.position === undefined && progress.isWanted(entry);
      });
      if (wanted.length === 0) break;
      const errors = await this.#beginAll(wanted);
      const last = errors.find((error) => !mayBeginLater(error));
      if (last !== undefined) {
        fail(last);
        break;
      }
      if (errors.length === 0) continue;
      if (errors.some(({ code }) => code === "NOT_COORDINATOR")) link.forget();
      await pause(attempt);
    }
    this.#startingCount--;
  }

  /** Why some could not be begun; they have no position then. */
  async #beginAll(entries: readonly Progress[]): Promise<readonly ClientError[]> {
    const { options: { groupId }, link, membership } = this.#member;
    const errors: ClientError[] = [];
    const notice = (thrown: unknown): void => {
      errors.push(errorFrom(thrown, "Cannot begin"));
    };
    try {
      const found = await committedOffsets(link, groupId, entries, membership.identity);
      errors.push(...found.errors.values());
      const ready = entries.filter((entry) => !found.errors.has(partitionKey(entry)));
      const topics = new Map<string, Progress[]>();
      for (const entry of ready) {
        const ofTopic = topics.get(entry.topic);
        if (ofTopic === undefined) topics.set(entry.topic, [entry]);
        else ofTopic.push(entry);
      }
      const begun = [...topics].map(([topic, ofTopic]) =>
        this.#beginTopic(topic, ofTopic, found.places).catch(notice)
      );
      await Promise.all(begun);
    } catch (thrown) {
      notice(thrown);
    }
    return errors;
  }

  async #beginTopic(
    topic: string,
    entries: readonly Progress[],
    committed: ReadonlyMap<string, LogPlace>,
  ): Promise<void> {
    const { metadata } = this.#member.tools;
    let known = await metadata.topic(topic);
    // Whoever divided them may know of partitions that are newer than what we know.
    const isNewer = entries.some(({ partition }) => partition >= known.partitions.length);
    if (isNewer) known = await metadata.refresh(topic);
    const isLed = ({ partition }: Progress): boolean =>
      (known.partitions[partition]?.leaderId ?? -1) >= 0;
    const parts = [
      entries.filter(isLed),
      ...entries.filter((entry) => !isLed(entry)).map((entry) => [entry]),
    ];
    const begun = await Promise.allSettled(parts.map((part) => this.#begin(part, committed)));
    for (const result of begun) if (result.status === "rejected") throw result.reason;
  }

  async #begin(
    entries: readonly Progress[],
    committed: ReadonlyMap<string, LogPlace>,
  ): Promise<void> {
    const { tools, settings: { from, isolation }, progress, fetcher, signal } = this.#member;
    const options = { from, isolation, ends: this.#ends };
    const points = await startingPoints(tools, entries, committed, options);
    for (const entry of entries) {
      const assignment = points.get(partitionKey(entry));
      if (assignment === undefined || !progress.isWanted(entry)) continue;
      if (signal.aborted) return;
      const position = fetcher.add(assignment);
      progress.begin(entry, position, committed.get(partitionKey(entry))?.offset ?? -1);
    }
  }
}

/** A member that is not one any more, or not yet again, is told what to do by its heartbeats. */
const PASSING: ReadonlySet<string> = new Set([
  "ABORTED",
  "FENCED_MEMBER_EPOCH",
  "GROUP_ID_NOT_FOUND",
  "ILLEGAL_GENERATION",
  "STALE_MEMBER_EPOCH",
  "UNKNOWN_MEMBER_ID",
  "UNKNOWN_TOPIC_OR_PARTITION",
]);

function mayBeginLater({ code, retriable }: ClientError): boolean {
  return retriable || PASSING.has(code);
}
