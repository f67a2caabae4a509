/** How a member is called where people read it: the client first, because that is what they know. */
import type { ConsumerMember } from "./member.ts";

/** As in Kafka's JoinGroupRequest.maybeTruncateReason. */
const REASON_LENGTH_MAX = 255;
/** Ids and names of clients may be as long as the protocol's longest string. */
const NAME_LENGTH_MAX = 120;

/** `app (member 4f…, instance a1)` */
export function nameOf({ clientId, memberId, instanceId }: ConsumerMember): string {
  const client = clientId === "" ? "a client without a name" : shortened(clientId);
  const instance = instanceId === null ? "" : `, instance ${shortened(instanceId)}`;
  return `${client} (member ${shortened(memberId)}${instance})`;
}

/** What a client gives as its reason to leave (KIP-800), where it gives one. */
export function givenReason(reason: string | null): string {
  return reason === null || reason === "" ? "" : `: ${reason.slice(0, REASON_LENGTH_MAX)}`;
}

/** The end of an id tells it from others, so it is the middle that goes. */
function shortened(name: string): string {
  if (name.length <= NAME_LENGTH_MAX) return name;
  const half = NAME_LENGTH_MAX / 2;
  return `${name.slice(0, half)}…${name.slice(-half)}`;
}
