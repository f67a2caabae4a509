/**
 * Where a cleanly closed log ends: by names alone where two of them agree, otherwise by a look at its
 * last headers. How, `recovery.ts` decides.
 */
import { type BatchVisitor, scan } from "../batch_scanner.ts";
import { endCases, lookCases } from "../recovery.ts";
import type { Segment } from "../segment/segment.ts";
import { BatchBelief } from "./batch_belief.ts";
import { damageFault } from "./damage_fault.ts";
import { refuseUnlessCut } from "./found_damage.ts";

/** What the close has written beside the segments. */
export interface CloseNames {
  readonly recoveryPoint: number;
  readonly newestSnapshot: number | undefined;
}

export interface CleanEnd {
  readonly end: number;
  /** False where it is known by a file's name only. */
  readonly isRead: boolean;
}

/** Throws a `LogFault` where it ends before, or its end is damaged. */
export async function findCleanEnd(active: Segment, names: CloseNames): Promise<CleanEnd> {
  const { recoveryPoint, newestSnapshot } = names;
  const isEmpty = active.sizeInBytes === 0;
  const isBehindBase = recoveryPoint - active.baseOffset > (isEmpty ? -1 : 0);
  const isNamed = isBehindBase && newestSnapshot === recoveryPoint;
  const how = endCases.decide({
    lastSegment: isEmpty ? "empty" : "data",
    names: isNamed ? "agree" : "differ",
  });
  if (how === "as named") return { end: recoveryPoint, isRead: isEmpty };
  const end = how === "its base" ? active.baseOffset : await lookForEnd(active, recoveryPoint);
  refuseLost(active, end, recoveryPoint);
  return { end, isRead: true };
}

/** At the last index entry and the headers behind it. */
async function lookForEnd(active: Segment, recoveryPoint: number): Promise<number> {
  const from = (await active.indexes()).offsets.lookup(Infinity);
  const belief = new BatchBelief(active.baseOffset, {
    onSound: () => undefined,
    fits: (lastOffset) => active.fits(lastOffset),
    believesLast: ({ baseOffset, nextOffset }, floor) =>
      baseOffset === floor || nextOffset === recoveryPoint,
  });
  const range = { position: from.position, end: active.sizeInBytes, mode: "header" as const };
  const visit: BatchVisitor = (batch, at) => {
    const isNamed = at === from.position && batch.lastOffset() === from.lastOffset;
    return belief.offer(batch, at, { isNamed, isChecked: false });
  };
  const { ending, position } = await active.withFile((file) => scan(file, range, visit));
  if (!belief.finish() || ending !== "clean") {
    const place = { position: belief.misfit?.position ?? position, place: "below" } as const;
    const known = { stop: "clean", recoveryPoint, nextOffset: belief.floor } as const;
    refuseUnlessCut(active, { ...place, ending }, known);
  }
  return belief.floor;
}

function refuseLost(active: Segment, end: number, recoveryPoint: number): void {
  const place = end < recoveryPoint ? "below" : "at or behind";
  if (lookCases.decide({ end: place }) === "believe") return;
  const what = `it ends at offset ${end}, and was longer (${recoveryPoint}) when it was closed`;
  throw damageFault(active.path("log"), what);
}
