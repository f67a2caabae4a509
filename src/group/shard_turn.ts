/** A turn of a whole shard: gathers the records and replies of the groups that it comes to. */
import type { GroupRecord } from "../api/coordinator_record/group_record.ts";
import { ErrorCode } from "../api/error_code.ts";
import type { Ms } from "../ground/numbers.ts";
import type { Prng } from "../ground/prng.ts";
import type { ClusterImage } from "../metadata/image.ts";
import type { Decision, GroupReply } from "./decision.ts";
import type { AnyGroup } from "./group_classes.ts";
import type { GroupConfig, GroupSettings } from "./group_settings.ts";
import type { RegexEngine, Token, Turn } from "./turn.ts";

/** What is the same in every turn of a shard. */
export interface ShardOptions {
  readonly settings: GroupSettings;
  readonly image: ClusterImage;
  readonly random: Prng;
  readonly regexes: RegexEngine;
  configOf(groupId: string): GroupConfig;
}

export class ShardTurn implements Turn, Decision {
  readonly now: Ms;
  readonly settings: GroupSettings;
  readonly image: ClusterImage;
  readonly random: Prng;
  readonly regexes: RegexEngine;
  readonly records: GroupRecord[] = [];
  readonly replies: GroupReply[] = [];
  /** The group whose turn it is. */
  groupId = "";
  /** What the group has become in this turn, if it has. */
  successor: AnyGroup | undefined;
  readonly #options: ShardOptions;

  constructor(now: Ms, options: ShardOptions) {
    this.now = now;
    this.settings = options.settings;
    this.image = options.image;
    this.random = options.random;
    this.regexes = options.regexes;
    this.#options = options;
  }

  configOf(groupId: string): GroupConfig {
    return this.#options.configOf(groupId);
  }

  write(record: GroupRecord): void {
    this.records.push(record);
  }

  reply<Response>(token: Token<Response>, response: Response): void {
    this.replies.push({ token, groupId: this.groupId, response });
  }

  become(successor: AnyGroup): void {
    this.successor = successor;
  }

  /** Puts what `write` writes in front of the records from `place` on. */
  writeBefore(place: number, write: () => void): void {
    const behind = this.records.splice(place);
    write();
    this.records.push(...behind);
  }

  /** Whether the request that the token stands for was answered in this turn. */
  isAnswered(token: Token<unknown>): boolean {
    return this.#replyTo(token) !== undefined;
  }

  /** Whether it was answered with an error. */
  isRefused(token: Token<unknown>): boolean {
    const response = this.#replyTo(token)?.response as { readonly errorCode?: number } | undefined;
    return response !== undefined && response.errorCode !== ErrorCode.None;
  }

  #replyTo(token: Token<unknown>): GroupReply | undefined {
    return this.replies.find((reply) => reply.token === token);
  }
}
