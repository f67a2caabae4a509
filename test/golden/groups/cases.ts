/**
 * All exchanges whose answers are compared with Kafka's, in the order in which they are played on one
 * broker. Each has a group of its own; the topics (`TOPICS`) are everyone's.
 */
import { adminCases } from "./admin_cases.ts";
import { commitCases } from "./commit_cases.ts";
import { consumerCases } from "./consumer_cases.ts";
import { consumerJoinCases } from "./consumer_join_cases.ts";
import { groupConfigCases } from "./group_config_cases.ts";
import { joinCases } from "./join_cases.ts";
import { limitCases } from "./limit_cases.ts";
import { memberCases } from "./member_cases.ts";
import { mixedCases } from "./mixed_cases.ts";
import { offsetCases } from "./offset_cases.ts";
import { staticCases } from "./static_cases.ts";
import type { Answer, Case } from "./talk.ts";

export const cases: readonly Case[] = [
  ...adminCases,
  ...joinCases,
  ...staticCases,
  ...memberCases,
  ...commitCases,
  ...offsetCases,
  ...consumerJoinCases,
  ...consumerCases,
  ...mixedCases,
  ...limitCases,
  ...groupConfigCases,
];

/** What a broker has answered to a case. */
export interface PlayedCase {
  readonly title: string;
  readonly answers: readonly Answer[];
}
