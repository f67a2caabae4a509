/**
 * What an examination of data on disk says: one finding for one thing, with its place and a remedy.
 *
 * "info": worth knowing, nothing is wrong. "warning": wrong, and nothing is lost: it is made anew from
 * the batches, by the next start or by `mq log repair`. "damage": records are lost or cannot be served.
 */

export type Severity = "info" | "warning" | "damage";

export type FindingCode =
  | "batch-damaged"
  | "tail-torn"
  | "tail-moving"
  | "tail-lost"
  | "offset-gap"
  | "start-missing"
  | "segment-missing"
  | "unreadable"
  | "index-wrong"
  | "time-index-wrong"
  | "transaction-index-wrong"
  | "index-missing"
  | "snapshot-wrong"
  | "snapshot-ahead"
  | "epochs-wrong"
  | "epoch-wrong"
  | "topic-id-wrong"
  | "topic-id-missing"
  | "topic-unknown"
  | "partition-missing"
  | "partition-twice"
  | "leftover"
  | "foreign"
  | "identity-wrong"
  | "checkpoint-wrong"
  | "checkpoint-ahead"
  | "set-aside"
  | "repaired"
  | "gone";

/** Offsets from `from` to before `until`. */
export interface OffsetSpan {
  readonly from: number;
  readonly until: number;
}

export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  readonly path: string;
  /** Where in the file, and how many bytes from there. */
  readonly position?: number;
  readonly sizeInBytes?: number;
  /** Offsets that are not there, or not as they should be. */
  readonly offsets?: OffsetSpan;
  readonly message: string;
  readonly remedy?: string;
}

export function severest(findings: Iterable<Finding>): Severity | undefined {
  let found: Severity | undefined;
  for (const { severity } of findings) {
    if (severity === "damage") return "damage";
    if (severity === "warning" || found === undefined) found = severity;
  }
  return found;
}

/** "offset 7", "offsets 7 to 9"; the end is not included in the span, and is in the text. */
export function spanText({ from, until }: OffsetSpan): string {
  return until - from === 1 ? `offset ${from}` : `offsets ${from} to ${until - 1}`;
}

export const REMEDY_REBUILD = "it is made anew from the batches (mq log repair takes it away)";
