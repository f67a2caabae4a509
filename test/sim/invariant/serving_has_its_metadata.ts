/**
 * A node whose directory of the metadata log is offline does not go on serving: it cannot decide
 * anything any more, and only a new start brings the disk back.
 */
import type { Invariant } from "./invariant.ts";

/** Events of the node between two looks. */
const EVERY = 16;

export function servingHasItsMetadata(): Invariant {
  let eventCount = 0;
  return {
    name: "serving has its metadata",
    onNodeEvent(node): string | undefined {
      if (node.phase !== "serving" || eventCount++ % EVERY > 0) return undefined;
      const [first] = node.logs?.directories() ?? [];
      return first?.state === "offline" ? `serving, and ${first.path} is offline` : undefined;
    },
  };
}
