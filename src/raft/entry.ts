/**
 * A descriptor of one record batch of the metadata log.
 *
 * ```
 *   baseOffset            nextOffset
 *   |<--- one batch ------>|<--- the next batch ...
 * ```
 *
 * The machine never holds a payload: it reasons about where batches begin and end, of which term
 * they are and whether they change the configuration. Positions are offsets, as in KRaft, and a
 * position is always an *end*: "the log matches at 40" says that the batch that ends at 40 is the
 * same on both sides, and with it everything below (Raft §5.3, Log Matching).
 */
import type { Offset } from "../ground/numbers.ts";
import type { Configuration } from "./configuration.ts";

export interface Entry {
  readonly baseOffset: Offset;
  readonly nextOffset: Offset;
  readonly term: number;
  /**
   * How much of `appendBytesMax` it takes. A measure, not a ruler: of the entries the machine makes
   * itself (leader-change, configuration) it is an estimate, so nobody may cut bytes by it.
   */
  readonly byteLength: number;
  /** In force from the moment the entry stands in the log (Raft §6). */
  readonly configuration?: Configuration;
  /** The first entry of a leader's term; the driver makes the control batch. */
  readonly isLeaderChange?: boolean;
}

/** All offsets below `offset` are in the snapshot; `term` is that of its last batch. */
export interface SnapshotId {
  readonly offset: Offset;
  readonly term: number;
}
