/**
 * One turn of the machine: what a group is told when it is asked or woken, and where it puts what is to
 * be written and answered.
 *
 * What is written here changes nothing yet: the records come back through `replay` once they are in the
 * log, and they do not come back where the log refused them. A group must survive that: it is then
 * simply asked again.
 */
import type { GroupRecord } from "../api/coordinator_record/group_record.ts";
import type { Ms } from "../ground/numbers.ts";
import type { Prng } from "../ground/prng.ts";
import type { ClusterImage } from "../metadata/image.ts";
import type { AnyGroup } from "./group_classes.ts";
import type { GroupConfig, GroupSettings } from "./group_settings.ts";

/** Stands for one request that is waiting; whoever handed it in knows who asked. */
export interface Token<Response> {
  readonly id: number;
  /** Never there: it keeps the type of the answer. */
  readonly response?: Response;
}

/** Patterns of users are never given to an engine that backtracks (KIP-848 asks for RE2's language). */
export interface RegexEngine {
  /**
   * Whether a whole topic name fits; undefined where the pattern is not RE2's, or takes too long to
   * judge by, which may turn out while it is judged by: then it says no, and is none when asked again.
   */
  compile(pattern: string): ((topic: string) => boolean) | undefined;
}

export interface Turn {
  readonly now: Ms;
  readonly settings: GroupSettings;
  readonly image: ClusterImage;
  readonly random: Prng;
  readonly regexes: RegexEngine;
  /** What the group has of its own (config resource GROUP), or else of the settings. */
  configOf(groupId: string): GroupConfig;
  write(record: GroupRecord): void;
  reply<Response>(token: Token<Response>, response: Response): void;
  /**
   * Another group under the same id takes this one's place, of the other protocol: the records of this
   * turn are replayed into it, from the tombstone of the old one on. Where the log refuses them, it is
   * dropped and the old group stays as it was.
   */
  become(successor: AnyGroup): void;
}
