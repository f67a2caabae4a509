/**
 * What the parts that drive one membership share: the machine that decides, the ways to the outside, and
 * the one place where news, failures and words to the application go.
 */
import type { ClientError } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { CoordinatorLink } from "./coordinator_link.ts";
import type { Fetcher } from "./fetcher.ts";
import type { GroupProgress } from "./group/group_progress.ts";
import type { Membership } from "./group/membership.ts";
import type { GroupConsumerOptions, GroupNotice } from "./group_options.ts";
import type { GroupSettings } from "./group_settings.ts";

export interface GroupMember {
  readonly tools: ClientTools;
  readonly options: GroupConsumerOptions;
  readonly settings: GroupSettings;
  readonly membership: Membership;
  readonly link: CoordinatorLink;
  readonly fetcher: Fetcher;
  readonly progress: GroupProgress;
  /** Fires when it is over, for whatever reason: nobody waits for anything any more. */
  readonly signal: AbortSignal;
  /** By the monotonic clock. */
  now(): number;
  /** The machine was told something: see what it wants. */
  onChange(): void;
  /** It is over; the loop of the application throws this. */
  fail(error: ClientError): void;
  notice(notice: GroupNotice): void;
  /** Resolves behind try `attempt` when another one is due, or when it is over. */
  pause(attempt: number): Promise<void>;
}
