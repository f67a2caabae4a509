/**
 * Why a rebalance happened, in words for the one who runs the consumers: who came, left or fell silent.
 *
 * The first causes are told in full and the rest is counted, so that a storm makes no novel. What
 * clients give as their reason (KIP-800) is cut as Kafka's own client cuts it.
 */
import type { ClassicMember } from "./classic_member.ts";
import { type ClassicCore, NO_CAUSES } from "./core.ts";

/** As in Kafka's JoinGroupRequest.maybeTruncateReason. */
const REASON_LENGTH_MAX = 255;
/** Ids and names of clients may be as long as the protocol's longest string. */
const NAME_LENGTH_MAX = 120;
const CAUSES_MAX = 3;
const NAMES_MAX = 5;

/** Makes a note of something that belongs to the rebalance that goes on or is about to begin. */
export function addCause(core: ClassicCore, cause: () => string): void {
  if (core.causes.length < CAUSES_MAX) core.causes = [...core.causes, cause()];
  else core.furtherCauses += 1;
}

export function forgetCauses(core: ClassicCore): void {
  core.causes = NO_CAUSES;
  core.furtherCauses = 0;
}

/** All that is noted, as one sentence. */
export function reasonOf({ causes, furtherCauses }: ClassicCore): string {
  const told = causes.join("; ");
  return furtherCauses === 0 ? told : `${told}; and ${furtherCauses} more`;
}

/** `app (member app-4f…, instance a1)`: the client first, because that is what people know. */
export function nameOf({ clientId, memberId, groupInstanceId }: ClassicMember): string {
  const client = clientId === "" ? "a client without a name" : shortened(clientId);
  const instance = groupInstanceId === null ? "" : `, instance ${shortened(groupInstanceId)}`;
  return `${client} (member ${shortened(memberId)}${instance})`;
}

export function namesOf(members: readonly ClassicMember[]): string {
  const names = members.slice(0, NAMES_MAX).map(nameOf).join(", ");
  return members.length > NAMES_MAX ? `${names} and ${members.length - NAMES_MAX} more` : names;
}

/** What the client gives as its reason, where it gives one. */
export function givenReason(reason: string | null | undefined): string {
  if (reason === null || reason === undefined || reason === "") return "";
  return `: ${reason.slice(0, REASON_LENGTH_MAX)}`;
}

/** The end of an id tells it from others, so it is the middle that goes. */
function shortened(name: string): string {
  if (name.length <= NAME_LENGTH_MAX) return name;
  const half = NAME_LENGTH_MAX / 2;
  return `${name.slice(0, half)}…${name.slice(-half)}`;
}
