/**
 * State machine safety: nodes that have replayed metadata up to the same offset have the same image, and
 * neither a node's image nor its applied offset goes back within its life, whoever feeds it.
 */
import { snapshotRecords } from "../../../src/metadata/snapshot.ts";
import type { Invariant } from "./invariant.ts";

export function imagesEqual(): Invariant {
  /** By the offset behind the last record: who had it first, and with what. */
  const images = new Map<number, { readonly node: string; readonly text: string }>();
  return {
    name: "images equal at equal offset",
    onMetadata({ process }, { metadata, appliedOffset, position }, before): string | undefined {
      if (appliedOffset < (before?.appliedOffset ?? 0)) {
        return `applied offset went from ${before?.appliedOffset} to ${appliedOffset}`;
      }
      if (position < (before?.position ?? 0)) {
        return `its image went from ${before?.position} to ${position}`;
      }
      if (position === before?.position) return undefined;
      // Topics that were removed are remembered until a node has cleaned up: that is its own affair.
      const records = [...snapshotRecords(metadata.image)].filter(({ kind }) =>
        kind !== "remove-topic"
      );
      const text = records.map((record) => JSON.stringify(record)).join("\n");
      const first = images.get(position);
      if (first === undefined) images.set(position, { node: process.name, text });
      else if (first.text !== text) {
        return `at ${position} ${first.node} has ${onlyIn(first.text, text)}\n` +
          `and ${process.name} ${onlyIn(text, first.text)}`;
      }
      return undefined;
    },
  };
}

/** The lines that the other does not have. */
function onlyIn(text: string, other: string): string {
  const others = new Set(other.split("\n"));
  return text.split("\n").filter((line) => !others.has(line)).join(" ");
}
