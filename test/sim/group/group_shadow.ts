/**
 * What groups have committed and were handed so far, for all that clients and coordinators were seen to do.
 *
 *     written        every record of one key, in the order in which coordinators appended it
 *     acknowledged   how far into that a client was told that it is kept
 *
 * What was acknowledged, or something later, is what every reader and every load finds: a commit, and
 * that there is none any more. Nothing is promised behind a disk that was lost or lies.
 *
 * A commit goes back only where somebody has ordered it: what was ordered is raised before the request
 * leaves, because it may be carried out late, and is never taken back.
 */
import { groupPartition } from "../../../src/runtime/coordinator/group_partition.ts";
import type { Shadow } from "../shadow.ts";
import { OFFSETS_PARTITIONS } from "./group_options.ts";

/** -1 = a tombstone. */
interface Written {
  readonly recordOffset: number;
  readonly value: number;
}

export interface Place {
  readonly groupId: string;
  readonly topic: string;
  readonly partition: number;
}

/** Of one key of the log: an offset of a group, or whether there is a group of one protocol. */
export class KeyHistory {
  written: Written[] = [];
  /** The index of the last one that must be kept; -1 = none. */
  acknowledged = -1;
  readonly groupId: string;

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get last(): number {
    return this.written.at(-1)?.value ?? -1;
  }
}

export function keyOf({ groupId, topic, partition }: Place): string {
  return `${groupId} ${topic}-${partition}`;
}

export class GroupShadow {
  readonly #shadow: Shadow;
  readonly #histories = new Map<string, KeyHistory>();
  readonly #handedOut = new Map<string, Set<number>>();
  /** Below these nobody has to be handed anything: an order has put the offset there. */
  readonly #ordered = new Map<string, number>();
  /** By key and member: what it has asked to commit, in its order. */
  readonly #asked = new Map<string, Asked[]>();
  readonly #commitsSent = new Map<string, number>();
  /** Topics of which somebody was about to delete one, beside those of `Shadow`. */
  readonly #ended = new Set<string>();
  readonly #deleted = new Set<string>();
  /**
   * Members that a consumer group has let go, until they are told of partitions again: one that asks to
   * join under the id that it had is let in, and does not learn that it was out.
   */
  readonly strangers = new Set<string>();
  /** Offsets are forgotten for their age within the simulation. */
  mayExpire = false;
  #isForgiven = false;

  constructor(shadow: Shadow) {
    this.#shadow = shadow;
  }

  get isTrusted(): boolean {
    return !this.#isForgiven && !this.#shadow.isDamaged;
  }

  /** A disk is gone, and with it groups of which it had the only copy. */
  forgive(): void {
    this.#isForgiven = true;
  }

  history(key: string, groupId: string): KeyHistory {
    let history = this.#histories.get(key);
    if (history === undefined) this.#histories.set(key, history = new KeyHistory(groupId));
    return history;
  }

  historyOf(groupId: string, topic: string, partition: number): KeyHistory {
    return this.history(keyOf({ groupId, topic, partition }), groupId);
  }

  histories(): Iterable<readonly [string, KeyHistory]> {
    return this.#histories;
  }

  /** Of all groups that share a partition of the log with this one. */
  *historiesBeside(groupId: string): Iterable<readonly [string, KeyHistory]> {
    const partition = groupPartition(groupId, OFFSETS_PARTITIONS);
    for (const one of this.#histories) {
      if (groupPartition(one[1].groupId, OFFSETS_PARTITIONS) === partition) yield one;
    }
  }

  handedOut(groupId: string, topic: string, partition: number): Set<number> {
    const key = keyOf({ groupId, topic, partition });
    let handed = this.#handedOut.get(key);
    if (handed === undefined) this.#handedOut.set(key, handed = new Set());
    return handed;
  }

  /** Acknowledged records below `offset` that nobody of the group was handed, and nobody has removed. */
  skipped(groupId: string, topic: string, at: { partition: number; offset: number }): number[] {
    const { partition } = at;
    const shadow = this.#shadow.topics.get(topic)?.partition(partition);
    if (shadow === undefined || shadow.lossCount > 0 || !this.isTrusted) return [];
    const handed = this.handedOut(groupId, topic, partition);
    const ordered = this.#ordered.get(keyOf({ groupId, topic, partition })) ?? 0;
    const from = Math.max(shadow.startMax, ordered);
    return [...shadow.expected.keys()].filter((offset) =>
      offset >= from && offset < at.offset && !handed.has(offset)
    );
  }

  /** Somebody who is no member asks for the offset to be put there. */
  order(place: Place, offset: number): void {
    const key = keyOf(place);
    this.#ordered.set(key, Math.max(this.#ordered.get(key) ?? 0, offset));
    const { groupId } = place;
    this.#commitsSent.set(groupId, this.commitsSent(groupId) + 1);
  }

  /** How often somebody who is no member has sent a commit. */
  commitsSent(groupId: string): number {
    return this.#commitsSent.get(groupId) ?? 0;
  }

  /** A member asks; it is over when there is an answer. */
  ask(place: Place, memberId: string, offset: number): Asked {
    const key = `${keyOf(place)} ${memberId}`;
    const asked: Asked = { offset, isOver: false };
    const before = this.#asked.get(key);
    if (before === undefined) this.#asked.set(key, [asked]);
    else before.push(asked);
    return asked;
  }

  /** Whether the member asked for `offset`, was not answered, and asked for `present`: that may overtake. */
  isLate(place: Place, memberId: string, { offset, present }: Late): boolean {
    const asked = this.#asked.get(`${keyOf(place)} ${memberId}`) ?? [];
    const at = asked.findIndex((one) => one.offset === offset && !one.isOver);
    return at >= 0 && asked.some((one, index) => index > at && one.offset === present);
  }

  mayHaveLost({ topic, partition }: Place): boolean {
    return this.#shadow.topics.get(topic)?.partition(partition).lossCount !== 0;
  }

  /** The topic is about to be deleted: its offsets go. */
  end(topic: string): void {
    this.#ended.add(topic);
  }

  mayHaveEnded(topic: string): boolean {
    const known = this.#shadow.topics.get(topic);
    return this.#ended.has(topic) || known !== undefined && known.existence !== "there";
  }

  /** Nobody will ever use its name again. */
  mustStayDeleted(groupId: string): void {
    this.#deleted.add(groupId);
  }

  deleted(): Iterable<string> {
    return this.#deleted;
  }
}

interface Asked {
  readonly offset: number;
  isOver: boolean;
}

interface Late {
  readonly offset: number;
  readonly present: number;
}
