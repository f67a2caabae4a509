/**
 * Subscriptions by pattern: what each means is found by trying every topic of the cluster, is written
 * down, and holds until topics are new.
 *
 * A pattern that is new to the group is resolved at once. Those that are known are tried again when
 * topics came that they may mean, at most every 10 seconds, so that a hundred topics made in a loop
 * are not a hundred rebalances; and after `group.consumer.regex.refresh.interval.ms` in any case. A turn
 * tries a few, those tried longest ago first; a member has one pattern at most and comes every few
 * seconds, so all have their turn. That a topic is gone needs no new look: it is no more in the
 * cluster's image.
 *
 * Kafka resolves in the background and rebalances a second time; here the trial is part of the turn.
 *
 * Source: kafka: GroupMetadataManager.maybeUpdateRegularExpressions.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Turn } from "../turn.ts";
import type { GroupMemory } from "./core.ts";
import type { ConsumerGroupState } from "./group_state.ts";
import { sameNames } from "./member.ts";
import type { ResolvedRegex } from "./record.ts";
import { Refusal } from "./refusal.ts";

const REFRESH_INTERVAL_MIN_MS = 10_000;
/** Each of them is tried at every topic of the cluster, while every other group waits. */
const TRIED_IN_TURN_MAX = 4;
/** Where a group has more patterns, it is not asked which of them a new topic is for. */
const ASKED_OF_TOPIC_MAX = 32;

/**
 * Longer ones than a person writes are refused unread (Kafka takes any length): to make a program of a
 * million characters takes a second, in which nobody else is served.
 */
export const REGEX_LENGTH_MAX = 2048;

export function refuseRegex(turn: Turn, regex: string): Refusal | undefined {
  if (regex.length > REGEX_LENGTH_MAX) {
    return new Refusal(
      ErrorCode.InvalidRegularExpression,
      `SubscribedTopicRegex has ${regex.length} characters, more than ${REGEX_LENGTH_MAX}.`,
    );
  }
  if (turn.regexes.compile(regex) !== undefined) return undefined;
  return new Refusal(
    ErrorCode.InvalidRegularExpression,
    `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: not in the language of ` +
      "RE2, or it takes too long to judge names by it.",
  );
}

/** What is found anew; `regexes` are those that members have from now on. */
export function resolveRegexes(
  turn: Turn,
  { state, memory }: { readonly state: ConsumerGroupState; readonly memory: GroupMemory },
  regexes: readonly string[],
): ReadonlyMap<string, ResolvedRegex> {
  const triedAt = (regex: string): number => state.resolvedRegexes.get(regex)?.timestamp ?? -1;
  const due = regexes.filter((regex) => isDue(turn, memory, state.resolvedRegexes.get(regex)));
  if (due.length > TRIED_IN_TURN_MAX) {
    due.sort((one, other) => triedAt(one) - triedAt(other));
  }
  return new Map(due.slice(0, TRIED_IN_TURN_MAX).map((regex) => [regex, resolved(turn, regex)]));
}

/** Whether the pattern means something else than before; a pattern without topics means nothing. */
export function meansOther(
  state: ConsumerGroupState,
  regex: string,
  after: ResolvedRegex,
): boolean {
  return !sameNames(state.resolvedRegexes.get(regex)?.topics ?? [], after.topics);
}

/** Whether any of these topics is one that a pattern means and did not mean so far. */
export function mayMeanMore(
  turn: Turn,
  state: ConsumerGroupState,
  names: readonly string[],
): boolean {
  const regexes = state.subscriptions.regexes();
  if (regexes.length > ASKED_OF_TOPIC_MAX) return true;
  return regexes.some((regex) => {
    const means = turn.regexes.compile(regex);
    const known = state.resolvedRegexes.get(regex)?.topics;
    return means !== undefined &&
      names.some((name) => known?.includes(name) !== true && means(name));
  });
}

function isDue(turn: Turn, memory: GroupMemory, known: ResolvedRegex | undefined): boolean {
  if (known === undefined) return true;
  const age = turn.now - known.timestamp;
  // Of a coordinator before this one whose clock was ahead: it says nothing of how old it is.
  if (age < 0) return true;
  if (age <= REFRESH_INTERVAL_MIN_MS) return false;
  return known.version < memory.newTopicsAt ||
    age > turn.settings.consumerGroupRegexRefreshIntervalMs;
}

function resolved(turn: Turn, regex: string): ResolvedRegex {
  const means = turn.regexes.compile(regex);
  const topics: string[] = [];
  if (means !== undefined) {
    for (const { name } of turn.image.topics()) if (means(name)) topics.push(name);
  }
  // One that has turned out to take too long is none any more, and then it means nothing.
  if (turn.regexes.compile(regex) === undefined) topics.length = 0;
  return { topics: topics.sort(), version: turn.image.nextOffset - 1, timestamp: turn.now };
}
