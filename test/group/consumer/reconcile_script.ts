/**
 * The language of `test/scenario/group/consumer/reconcile_*.txt`: one member, its target, and what
 * others hold.
 *
 *     member 2 stable A:0-3 [revoking=A:4] [was=1]     how the member stands
 *     target 3 A:0-1                                   target epoch and target
 *     held A:1                                         what others hold from now on; `-` for nothing
 *     heartbeat [owned=A:0-1]                          one step; without `owned` it does not say
 *
 * A heartbeat prints how the member stands after it.
 */
import {
  type MemberProgress,
  MemberState,
  reconcile,
} from "../../../src/group/consumer/reconcile.ts";
import { has, listOf, type Partitions } from "../../../src/group/consumer/partitions.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import { idOfTopic, options, parsePartitions, partitionsText } from "./notation.ts";

const STATES: Readonly<Record<string, MemberState>> = {
  stable: MemberState.Stable,
  unrevoked: MemberState.UnrevokedPartitions,
  unreleased: MemberState.UnreleasedPartitions,
  unknown: MemberState.Unknown,
};

export class ReconcileScript {
  #member: MemberProgress = progress("0", "stable", ["-"]);
  #targetEpoch = 0;
  #target: Partitions = new Map();
  #held: Partitions = new Map();

  run(command: string): readonly string[] {
    const [name = "", ...words] = command.split(/\s+/);
    switch (name) {
      case "member":
        this.#member = progress(words[0] ?? "", words[1] ?? "", words.slice(2));
        return [];
      case "target":
        this.#targetEpoch = Number(words[0]);
        this.#target = parsePartitions(words.slice(1).join(" "));
        return [];
      case "held":
        this.#held = parsePartitions(words.join(" "));
        return [];
      case "heartbeat":
        return [this.#heartbeat(options(words).get("owned"))];
      default:
        throw new Error(`unknown command "${name}"`);
    }
  }

  #heartbeat(owned: string | undefined): string {
    const before = this.#member;
    const after = reconcile({
      member: before,
      targetEpoch: this.#targetEpoch,
      target: this.#target,
      isHeld: (topicId, partitionId) =>
        has(this.#held, topicId, partitionId) || has(before.assigned, topicId, partitionId) ||
        has(before.pendingRevocation, topicId, partitionId),
      owned: owned === undefined ? null : listOf(parsePartitions(owned)),
    });
    if (after === "fenced") return "fenced";
    if (after === before) return "unchanged";
    this.#member = after;
    return text(after);
  }
}

function progress(epoch: string, state: string, words: readonly string[]): MemberProgress {
  const found = STATES[state];
  if (found === undefined) throw new Error(`unknown state "${state}"`);
  const given = options(["assigned=", ...words]);
  const memberEpoch = Number(epoch);
  return {
    state: found,
    memberEpoch,
    previousMemberEpoch: Number(given.get("was") ?? memberEpoch),
    assigned: parsePartitions(given.get("assigned") ?? "-"),
    pendingRevocation: parsePartitions(given.get("revoking") ?? "-"),
  };
}

function text(member: MemberProgress): string {
  const state = Object.keys(STATES).find((name) => STATES[name] === member.state);
  const nameOf = (topicId: Uuid): string =>
    TOPICS.find((name) => idOfTopic(name) === topicId) ?? "?";
  const revoking = member.pendingRevocation.size === 0
    ? ""
    : ` revoking=${partitionsText(member.pendingRevocation, nameOf)}`;
  return `${state} epoch=${member.memberEpoch} was=${member.previousMemberEpoch} ` +
    `assigned=${partitionsText(member.assigned, nameOf)}${revoking}`;
}

const TOPICS = ["A", "B", "C"];
