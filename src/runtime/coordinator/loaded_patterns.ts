/**
 * The patterns that members are subscribed to when a log has been read to its end. Another broker may
 * have taken one that is none here: its group goes on with what it was found to mean, and when it is
 * looked at anew it means nothing. The operator is told.
 */
import type { GroupRecord } from "../../api/coordinator_record/group_record.ts";
import type { Trace } from "../../env/trace.ts";
import type { RegexEngine } from "../../group/turn.ts";

interface Subscribed {
  readonly groupId: string;
  readonly memberId: string;
  readonly regex: string;
}

/** Of a pattern in a message. */
const TOLD_LENGTH_MAX = 100;

export class LoadedPatterns {
  /** By group and member. */
  readonly #members = new Map<string, Subscribed>();

  onReplayed({ kind, key, value }: GroupRecord): void {
    if (kind !== "ConsumerGroupMemberMetadata") return;
    const { groupId, memberId } = key;
    const regex = value?.subscribedTopicRegex ?? "";
    const name = `${groupId}\n${memberId}`;
    if (regex === "") this.#members.delete(name);
    else this.#members.set(name, { groupId, memberId, regex });
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** In pieces: to make programs of many patterns takes long. */
  async tellRefused(
    regexes: RegexEngine,
    { trace, pause, isWanted }: {
      readonly trace: Trace;
      readonly pause: () => Promise<void> | undefined;
      readonly isWanted: () => boolean;
    },
  ): Promise<void> {
    const looked = new Set<string>();
    for (const { groupId, memberId, regex } of this.#members.values()) {
      if (looked.has(regex)) continue;
      looked.add(regex);
      const pausing = pause();
      // deno-lint-ignore no-await-in-loop -- others have their turn
      if (pausing !== undefined) await pausing;
      if (!isWanted()) return;
      if (regexes.compile(regex) !== undefined) continue;
      trace.event("warn", "a pattern of a subscription is none here, and will mean no topic", {
        group: groupId,
        member: memberId,
        pattern: regex.slice(0, TOLD_LENGTH_MAX),
        length: regex.length,
      });
    }
  }
}
