/**
 * Who is subscribed to what in a group, as counts: by topic name, by pattern, and what the patterns
 * were found to mean.
 *
 *     byName        topic → members that name it
 *     byRegex       topic → patterns that mean it
 *     regexMembers  pattern → members that have it
 *
 * A decision works on a copy, with the change that is not written yet.
 */
import type { ConsumerMember } from "./member.ts";
import { sameNames } from "./member.ts";

type Counts = Map<string, number>;
export type Subscriber = Pick<ConsumerMember, "subscribedTopicNames" | "subscribedTopicRegex">;

export class Subscriptions {
  readonly #byName: Counts;
  readonly #byRegex: Counts;
  readonly #regexMembers: Counts;

  constructor(of?: Subscriptions) {
    this.#byName = new Map(of === undefined ? [] : of.#byName);
    this.#byRegex = new Map(of === undefined ? [] : of.#byRegex);
    this.#regexMembers = new Map(of === undefined ? [] : of.#regexMembers);
  }

  isSubscribedTo(topic: string): boolean {
    return this.#byName.has(topic) || this.#byRegex.has(topic);
  }

  /** In order, once each. */
  topics(): readonly string[] {
    return [...new Set([...this.#byName.keys(), ...this.#byRegex.keys()])].sort();
  }

  /** Those that some member has. */
  regexes(): readonly string[] {
    return [...this.#regexMembers.keys()];
  }

  get hasRegexes(): boolean {
    return this.#regexMembers.size > 0;
  }

  membersOf(regex: string): number {
    return this.#regexMembers.get(regex) ?? 0;
  }

  /** Whether all members are subscribed to the same topics (kafka: ConsumerGroup.subscriptionType). */
  isHomogeneous(memberCount: number): boolean {
    if (this.#regexMembers.size === 0) {
      for (const count of this.#byName.values()) if (count !== memberCount) return false;
      return true;
    }
    const [count] = this.#regexMembers.values();
    return count === memberCount && this.#byName.size === 0;
  }

  /** A member has come (no `before`), gone (no `after`) or changed. */
  change(before: Subscriber | undefined, after: Subscriber | undefined): void {
    const oldNames = before?.subscribedTopicNames ?? [];
    const newNames = after?.subscribedTopicNames ?? [];
    if (!sameNames(oldNames, newNames)) {
      for (const name of oldNames) add(this.#byName, name, -1);
      for (const name of newNames) add(this.#byName, name, 1);
    }
    const oldRegex = before?.subscribedTopicRegex ?? "";
    const newRegex = after?.subscribedTopicRegex ?? "";
    if (oldRegex === newRegex) return;
    if (oldRegex !== "") add(this.#regexMembers, oldRegex, -1);
    if (newRegex !== "") add(this.#regexMembers, newRegex, 1);
  }

  /** A pattern means other topics than before. */
  resolve(before: readonly string[], after: readonly string[]): void {
    for (const topic of before) add(this.#byRegex, topic, -1);
    for (const topic of after) add(this.#byRegex, topic, 1);
  }
}

/** Counts that come to nothing are not kept. */
export function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
