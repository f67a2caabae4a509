/** What a log is opened with, and what is said to it and by it. */
import type { Disk } from "../env/disk.ts";
import type { Random } from "../env/random.ts";
import type { Trace } from "../env/trace.ts";
import type { Crc32c } from "../ground/crc32c.ts";
import type { Offset } from "../ground/numbers.ts";
import type { Decompress } from "../record/compression.ts";
import type { SharedSyncs } from "./directory/shared_syncs.ts";
import type { OpenSegments } from "./segment/open_segments.ts";
import type { ReadChecks } from "./reading/read_checks.ts";
import type { LogSettings } from "./segment/segment_policy.ts";
import type { TailCache } from "./reading/tail_cache.ts";

export interface LogTools {
  readonly disk: Disk;
  readonly crc32c: Crc32c;
  readonly decompress: Decompress;
  readonly trace: Trace;
  readonly tail: TailCache;
  readonly openSegments: OpenSegments;
  readonly reads: ReadChecks;
  /** For `segment.jitter.ms`. */
  readonly random: Random;
}

export interface LogOptions {
  readonly directory: string;
  readonly settings: LogSettings;
  readonly tools: LogTools;
  /** Whether the log directory was closed cleanly. */
  readonly isClean: boolean;
  /** As the checkpoint says; a hint. */
  readonly recoveryPoint: Offset;
  /**
   * Whether that checkpoint was there. Only then is a gap behind the recovery point the lost end of a
   * segment: what compaction leaves is written down as durable first.
   */
  readonly isRecoveryPointWritten?: boolean;
  /** As the checkpoint says; a hint. */
  readonly logStartOffset?: Offset;
  /**
   * Whether its folder, and the file in it that says whose it is, are known to be durable; true where
   * left out. Where they are not, the first sync makes them durable.
   */
  readonly isFolderDurable?: boolean;
  /**
   * Makes the folder, and the file that says whose it is. Where it is there the log is new, nothing is
   * looked for, and this is called before anything is written.
   */
  readonly makeFolder?: () => void;
  /** Of all logs in the same directory; left out where there are no others. */
  readonly shared?: SharedSyncs;
}

/** What the validation of a batch found. */
export interface AppendFacts {
  readonly lastOffset: Offset;
  readonly maxTimestamp: number;
  readonly leaderEpoch: number;
}
