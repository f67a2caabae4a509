/**
 * What becomes of what a turn wrote: it came back from the log, or the log refused it.
 *
 * What is decided is answered in the turn that decides it, and those answers are held back until the
 * record is safe; so the state in memory may follow the record as soon as it is in the log.
 */
import { unreachable } from "../../ground/assert.ts";
import type { Ms } from "../../ground/numbers.ts";
import type { Turn } from "../turn.ts";
import { type ClassicCore, expectSync, type GroupMetadataValue, type Unconfirmed } from "./core.ts";
import { confirmReplacement } from "./static_replacement.ts";
import { confirmSettled } from "./syncing.ts";

export function confirm(
  core: ClassicCore,
  unconfirmed: Unconfirmed,
  value: GroupMetadataValue,
): void {
  core.durable = value;
  switch (unconfirmed.kind) {
    case "settled":
      confirmSettled(core, value, unconfirmed.at);
      break;
    case "replaced": {
      const { old, next, at } = unconfirmed;
      confirmReplacement(core, old, next);
      core.deadlines.set(next, (at + next.sessionTimeoutMs) as Ms);
      break;
    }
    case "created":
      if (core.phase === "Empty") core.changedAtMs = value.currentStateTimestamp;
      break;
    case "emptied":
      break;
    default:
      unreachable(unconfirmed);
  }
  core.isAsDurable = core.phase === "Stable" || core.phase === "Empty";
}

/**
 * The log refused it, and whoever was to be answered was told so.
 *
 *   settled            their syncs are to come again
 *   created, replaced  nothing has changed; whoever asked asks again
 *   emptied            the group is empty all the same: where the log has the generation before it, a
 *                      successor gives its members a session, and then writes it
 */
export function takeBack(core: ClassicCore, turn: Turn, unconfirmed: Unconfirmed): void {
  if (unconfirmed.kind !== "settled") return;
  for (const member of unconfirmed.answered) {
    if (core.members.get(member.memberId) === member) expectSync(core, turn, member);
  }
}
