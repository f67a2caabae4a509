/**
 * Keeps an eye on the topics of a member: which ones a pattern matches, how many partitions they have,
 * and whether those that were named are there.
 *
 * Under the classic protocol that is the members' duty, by looking again every `metadataMaxAgeMs`; sooner
 * while a topic that was named is missing. Under the consumer protocol the coordinator does it.
 */
import type { Timer } from "../env/clock.ts";
import { ClientError } from "./client_error.ts";
import type { GroupMember } from "./group_member.ts";
import type { TopicMetadata } from "./metadata_cache.ts";
import { backoffMs } from "./retry.ts";

const MISSING_MS = 1000;

type Options = Pick<
  GroupMember,
  "tools" | "settings" | "membership" | "now" | "onChange" | "notice"
>;

export class GroupTopics {
  readonly #member: Options;
  readonly #pattern: RegExp | undefined;
  readonly #missing = new Set<string>();
  #timer: Timer | undefined;
  #failureCount = 0;
  #isStopped = false;

  /** Throws a `ClientError` where the pattern is none. */
  constructor(member: Options) {
    this.#member = member;
    const { pattern, isClassic } = member.settings;
    if (isClassic && pattern !== undefined) this.#pattern = patternOf(pattern);
  }

  start(): void {
    const { settings, membership, now, onChange } = this.#member;
    if (this.#pattern === undefined) {
      membership.subscribe(now(), settings.topics);
      onChange();
    }
    this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { settings, tools } = this.#member;
    let delayMs = settings.metadataMaxAgeMs;
    try {
      if (settings.isClassic || settings.topics.length > 0) await this.#lookOnce();
      if (this.#missing.size > 0) delayMs = Math.min(MISSING_MS, delayMs);
      this.#failureCount = 0;
    } catch {
      delayMs = backoffMs(++this.#failureCount, tools.env.random); // no broker answers
    }
    if (this.#isStopped) return;
    this.#timer = tools.env.clock.after(delayMs, () => void this.#look());
  }

  async #lookOnce(): Promise<void> {
    const { settings, membership, tools, now, onChange } = this.#member;
    const names = [...new Set([...settings.topics, ...membership.watchedTopics])];
    const found = await tools.metadata.topics(this.#pattern === undefined ? names : null);
    if (this.#isStopped) return;
    for (const topic of settings.topics) this.#see(topic, found.get(topic));
    if (!settings.isClassic) return;
    if (this.#pattern !== undefined) {
      const matches = [...found.values()].filter((topic): topic is TopicMetadata =>
        !(topic instanceof ClientError) && !topic.isInternal &&
        this.#pattern?.test(topic.name) === true
      );
      membership.subscribe(now(), matches.map(({ name }) => name));
    }
    membership.counted(now(), countsIn(found, membership.watchedTopics));
    onChange();
  }

  #see(topic: string, found: TopicMetadata | ClientError | undefined): void {
    if (found !== undefined && !(found instanceof ClientError)) {
      this.#missing.delete(topic);
    } else if (!this.#missing.has(topic)) {
      this.#missing.add(topic);
      const message = found?.message ?? `Cannot find topic ${topic}`;
      this.#member.notice({ kind: "topic-missing", message });
    }
  }
}

/** Partitions by topic; 0 where it is not there. */
export function countsIn(
  found: ReadonlyMap<string, TopicMetadata | ClientError>,
  topics: readonly string[],
): ReadonlyMap<string, number> {
  return new Map(topics.flatMap((name) => {
    const topic = found.get(name);
    if (topic instanceof ClientError && topic.code !== "UNKNOWN_TOPIC_OR_PARTITION") return [];
    return [[
      name,
      topic === undefined || topic instanceof ClientError ? 0 : topic.partitions.length,
    ]];
  }));
}

/** The whole name must match, as in Kafka. */
function patternOf(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, "u");
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ClientError("INVALID_REGULAR_EXPRESSION", `Cannot read pattern: ${message}`);
  }
}
