/**
 * What to trust of a log that is opened: a decision table, and nothing but decisions.
 *
 * | clean | the recovery point is inside a later segment | decision |
 * |---|---|---|
 * | yes | – | trust: sizes are what was closed |
 * | no | yes | trust: the sync that moved the recovery point there made its indexes durable first |
 * | no | no | scan: headers up to the recovery point, CRCs from there, indexes anew |
 *
 * and, when a scan comes to something that is no whole, sound batch:
 *
 * | found | decision |
 * |---|---|
 * | at or behind the recovery point | cut: never known as durable here; later segments go with it |
 * | below the recovery point | refuse: it was durable, so it is damage and not a torn tail (D11) |
 *
 * A log that ends soundly below its recovery point was cut on purpose after the checkpoint was
 * written, and is taken as it is: checkpoints are hints.
 */

export type OpenDecision = "trust" | "scan";

export function decideSegment(facts: {
  readonly isClean: boolean;
  /** The base offset of the next segment; undefined for the last one. */
  readonly nextBaseOffset: number | undefined;
  readonly recoveryPoint: number;
}): OpenDecision {
  if (facts.isClean) return "trust";
  if (facts.nextBaseOffset === undefined) return "scan";
  return facts.nextBaseOffset < facts.recoveryPoint ? "trust" : "scan";
}

export type DamageDecision = "cut" | "refuse";

/** What to do about bytes that are no batch; `nextOffset` is the offset that a batch there would have. */
export function decideDamage(facts: {
  readonly nextOffset: number;
  readonly recoveryPoint: number;
}): DamageDecision {
  return facts.nextOffset >= facts.recoveryPoint ? "cut" : "refuse";
}

/**
 * The end of a log that was closed cleanly, by the name of the snapshot that the close wrote;
 * undefined where there is none and the last segment has to be looked at.
 */
export function cleanEnd(facts: {
  readonly newestSnapshot: number | undefined;
  readonly lastSegment: { readonly baseOffset: number; readonly sizeInBytes: number };
}): number | undefined {
  const { newestSnapshot, lastSegment } = facts;
  if (lastSegment.sizeInBytes === 0) return lastSegment.baseOffset;
  if (newestSnapshot === undefined || newestSnapshot <= lastSegment.baseOffset) return undefined;
  return newestSnapshot;
}
