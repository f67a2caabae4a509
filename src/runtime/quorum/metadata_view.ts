/**
 * Committed metadata as the parts of a node see it, whether the node votes or follows.
 *
 * The image holds committed records and nothing else. It changes in place: whoever keeps a reference
 * sees the newest state.
 */
import type { Offset } from "../../ground/numbers.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { MetadataRecord } from "../../metadata/record.ts";

export type ReplayListener = (record: MetadataRecord, offset: Offset) => Promise<void> | void;
export type ReplaceListener = () => Promise<void> | void;

export interface MetadataView {
  readonly image: ClusterImage;
  /** Everything below is in the image, and all listeners are done with it. */
  readonly appliedOffset: Offset;
  /**
   * Hears of every record after the image has its whole batch and before the reply of its proposer
   * leaves. Records of one batch are told at the same time, batches one after the other.
   */
  onReplayed(listener: ReplayListener): void;
  /** A snapshot was loaded: the image is the same object, its content another. Compare and reconcile. */
  onImageReplaced(listener: ReplaceListener): void;
  /** True when everything below `offset` is in the image; false where that did not happen in time. */
  whenApplied(offset: Offset, timeoutMs: number): Promise<boolean>;
}

/** A view with a life, as `LogManager` is handed it. */
export interface OpenMetadata extends MetadataView {
  /** Cleanly: what is under way is waited for. */
  close(): Promise<void>;
  /** At once, as a crash would. */
  abandon(): void;
}
