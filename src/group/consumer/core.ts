/**
 * A consumer group as the parts of it see it: what is durable, and what is only remembered.
 *
 *   consumer_group -> heartbeat, classic_join, classic_rest, fencing, upgrade, downgrade, describe,
 *                     offset_check
 *                     -> change -> target, regexes, timers, group_state, reconcile
 *
 * The memory is lost with the shard, and nothing of it decides who owns what: deadlines, when topics
 * were looked at last, why the epoch to come is made.
 */
import type { Ms } from "../../ground/numbers.ts";
import type { BegunRebalance, History } from "../history.ts";
import type { ConsumerGroupState } from "./group_state.ts";
import { MemberTimers } from "./timers.ts";

/** How long it may take until a change of topics is seen that nobody was told of (kafka: 1 hour). */
export const METADATA_REFRESH_INTERVAL_MS = 3_600_000;

const NO_OFFSET = -1;

/** As many names as a reason in the history tells. */
const CHANGED_TOPICS_MAX = 5;

export class GroupMemory {
  readonly timers = new MemberTimers();
  /** When the topics are looked at again, whatever was told of them. */
  #refreshAt = 0;
  /** The group epoch that was made as they were looked at last. */
  #refreshEpoch = 0;
  /**
   * The metadata record by which a topic may have come that a pattern means; a pattern that was
   * resolved by older ones is to be tried again. As an offset and not a flag, because the log may
   * refuse what was found.
   */
  newTopicsAt = NO_OFFSET;
  /** What the epoch to come is made for; it is told of once its record is in the log. */
  begun: BegunRebalance | undefined;
  /** That the epoch to come is the first after a change of protocol. */
  conversion: string | undefined;
  /** When the group was asked or woken last. */
  now = 0 as Ms;
  #changedTopics: readonly string[] = [];

  /** The second: the epoch that was made then was refused by the log. */
  isRefreshDue(now: Ms, groupEpoch: number): boolean {
    return now >= this.#refreshAt || groupEpoch < this.#refreshEpoch;
  }

  noteRefresh(now: Ms, groupEpoch: number): void {
    this.#refreshAt = now + METADATA_REFRESH_INTERVAL_MS;
    this.#refreshEpoch = groupEpoch;
    this.#changedTopics = [];
  }

  /** A topic of the group is new, gone or altered. */
  noteTopic(name: string): void {
    this.#refreshAt = 0;
    if (this.#changedTopics.includes(name)) return;
    this.#changedTopics = [...this.#changedTopics, name].slice(0, CHANGED_TOPICS_MAX + 1);
  }

  /** "topics changed: orders, bills, …" */
  topicsChangedReason(): string {
    const names = this.#changedTopics.slice(0, CHANGED_TOPICS_MAX);
    if (names.length === 0) return "topics changed";
    const isMore = this.#changedTopics.length > names.length;
    return `topics changed: ${names.join(", ")}${isMore ? ", …" : ""}`;
  }
}

export interface ConsumerCore {
  readonly groupId: string;
  readonly state: ConsumerGroupState;
  readonly memory: GroupMemory;
  readonly history: History;
}
