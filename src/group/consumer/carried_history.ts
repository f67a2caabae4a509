/** A group that changes its protocol keeps its history. */
import type { Ms } from "../../ground/numbers.ts";
import type { History } from "../history.ts";

/** Adds to `to`, which has none yet, what `from` tells; what had not ended ends now. */
export function carryHistory(now: Ms, from: History, to: History): void {
  for (const { durationMs, ...rebalance } of from.entries()) {
    to.begin(rebalance);
    to.end(now, durationMs < 0 ? {} : { durationMs });
  }
}
