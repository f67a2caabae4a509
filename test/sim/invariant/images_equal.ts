/**
 * State machine safety: nodes that have replayed metadata up to the same offset have the same image, and
 * no node's applied offset goes back within its life. Looked at when an image has moved.
 */
import { snapshotRecords } from "../../../src/metadata/snapshot.ts";
import type { OpenMetadata } from "../../../src/runtime/quorum/metadata_view.ts";
import type { ImagePositions } from "../watch_images.ts";
import type { Invariant } from "./invariant.ts";

export function imagesEqual(positions: ImagePositions): Invariant {
  const applied = new WeakMap<OpenMetadata, number>();
  const replayed = new WeakMap<OpenMetadata, number>();
  /** By the offset behind the last record: who had it first, and with what. */
  const images = new Map<number, { readonly node: string; readonly text: string }>();
  return {
    name: "images equal at equal offset",
    onNodeEvent({ metadata, process }): string | undefined {
      if (metadata === undefined) return undefined;
      const { appliedOffset, image } = metadata;
      const position = positions.of(image);
      const before = applied.get(metadata);
      if (before === appliedOffset && replayed.get(metadata) === position) return undefined;
      if (appliedOffset < (before ?? 0)) {
        return `applied offset went from ${before} to ${appliedOffset}`;
      }
      applied.set(metadata, appliedOffset);
      replayed.set(metadata, position);
      // Topics that were removed are remembered until a node has cleaned up: that is its own affair.
      const records = [...snapshotRecords(image)].filter(({ kind }) => kind !== "remove-topic");
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
