/** Whether a Ready asks for nothing: most ticks and many answers cause none. */
import type { Ready } from "../../../src/raft/ready.ts";

export function isQuiet(ready: Ready): boolean {
  return ready.persist === undefined && ready.softState === undefined &&
    ready.apply === undefined && ready.fetchSnapshot === undefined &&
    ready.sendNow.length === 0 && ready.sendWhenDurable.length === 0 && ready.reads.length === 0;
}
