/**
 * What to trust of a log that is opened: decision tables, and nothing but decisions.
 *
 * `log_leftovers.ts` and `log_loader.ts` find the facts and do what is decided. A label says why; the
 * rows of a table exclude each other, and the test walks every combination.
 *
 *     fileCases       what a file is for, by its name
 *     orphanCases     an index whose log is not there
 *     segmentCases    how far a segment is believed
 *     indexCases      what becomes of its index files
 *     damageCases     bytes where a batch should be and is none
 *     gapCases        offsets missing between two segments
 *     endCases        where a cleanly closed log ends
 *     lookCases       what a look at that end has found
 *     startCases      a log that ends below where it should start
 *     snapshotCases   which producer snapshot to start from
 *     epochCases      the file of leader epochs
 *
 * "Clean" means that the last owner closed all logs. Then data is believed by its size; damage is
 * found by the reads and by the scrubber. "Recovery point" is the offset below which all was
 * durable, as the checkpoint says: a hint that may lie too low (costs time) or, when the log was cut
 * since, too high (does no harm: what is there is taken).
 * Longer than most: eleven tables that are read side by side.
 * Rows that say "impossible" stand for combinations that cannot be; they get the careful answer.
 */
import { DecisionTable } from "./decision_table.ts";

export type Stop = "clean" | "unclean";
const STOPS: readonly Stop[] = ["clean", "unclean"];

/** Where something lies with regard to the recovery point. */
export type Recovery = "below" | "around" | "behind";
const RECOVERIES: readonly Recovery[] = ["below", "around", "behind"];

// --- files ---------------------------------------------------------------------------------------

export interface FileFacts {
  readonly stop: Stop;
  /** By its ending; "foreign" is no name that this log or Kafka gives. */
  readonly name:
    | "segment file"
    | "partition file"
    | "aside"
    | "deleted"
    | "cleaned"
    | "swap"
    | "foreign";
  /** Whether a .cleaned file has the same or a lower base offset. */
  readonly cleanedAtOrBelow: "yes" | "no";
  /** Whether the log of the same base offset waits as .swap. */
  readonly swapLog: "yes" | "no";
}

export type FileDecision = "use" | "leave" | "leave and tell" | "remove" | "finish";

/** Source: kafka: LogLoader.removeTempFilesAndCollectSwapFiles, also after a clean stop. */
export const fileCases = new DecisionTable<FileFacts, FileDecision>("fileCases", {
  stop: STOPS,
  name: ["segment file", "partition file", "aside", "deleted", "cleaned", "swap", "foreign"],
  cleanedAtOrBelow: ["yes", "no"],
  swapLog: ["yes", "no"],
}, [
  { label: "a part of the log", when: { name: "segment file" }, decision: "use" },
  { label: "epochs or metadata", when: { name: "partition file" }, decision: "use" },
  { label: "the next write replaces it", when: { name: "aside" }, decision: "leave" },
  { label: "was taken out of the log", when: { name: "deleted" }, decision: "remove" },
  { label: "a cleaning that came to nothing", when: { name: "cleaned" }, decision: "remove" },
  {
    label: "its cleaning was not decided: a part of it is still .cleaned",
    when: { name: "swap", cleanedAtOrBelow: "yes" },
    decision: "remove",
  },
  {
    label: "a cleaning that was decided",
    when: { name: "swap", cleanedAtOrBelow: "no", swapLog: "yes" },
    decision: "finish",
  },
  {
    // The log is renamed last when a swap begins, and last when it ends; Kafka renames it first when
    // it ends. Either way the log beside it is the new one.
    label: "an index whose log has its name already",
    when: { name: "swap", cleanedAtOrBelow: "no", swapLog: "no" },
    decision: "finish",
  },
  { label: "nothing of ours", when: { name: "foreign" }, decision: "leave and tell" },
]);

export interface OrphanFacts {
  readonly stop: Stop;
  readonly content: "empty" | "entries";
  /** Of its base offset. */
  readonly start: "below the log start" | "in the log";
  readonly recovery: "below" | "at or behind";
  /** Whether the segment before reaches over its base offset, as a cleaned one does. */
  readonly cover: "covered" | "bare";
}

/** An index file without its log. A log is always the last of its files to go. */
export const orphanCases = new DecisionTable<OrphanFacts, "remove" | "refuse">("orphanCases", {
  stop: STOPS,
  content: ["empty", "entries"],
  start: ["below the log start", "in the log"],
  recovery: ["below", "at or behind"],
  cover: ["covered", "bare"],
}, [
  { label: "says nothing", when: { content: "empty" }, decision: "remove" },
  {
    label: "of records that were deleted",
    when: { content: "entries", start: "below the log start" },
    decision: "remove",
  },
  {
    label: "of a segment that was cleaned away",
    when: { content: "entries", start: "in the log", cover: "covered" },
    decision: "remove",
  },
  {
    label: "of a log that was never durable",
    when: {
      stop: "unclean",
      content: "entries",
      start: "in the log",
      recovery: "at or behind",
      cover: "bare",
    },
    decision: "remove",
  },
  {
    label: "of a log that was durable and is lost",
    when: {
      stop: "unclean",
      content: "entries",
      start: "in the log",
      recovery: "below",
      cover: "bare",
    },
    decision: "refuse",
  },
  {
    label: "of a log that was there when all was closed",
    when: { stop: "clean", content: "entries", start: "in the log", cover: "bare" },
    decision: "refuse",
  },
]);

// --- segments ------------------------------------------------------------------------------------

export interface SegmentFacts {
  readonly stop: Stop;
  /** "below": the next segment begins at or below the log start, so all of this one was deleted. */
  readonly start: "below" | "in the log";
  /** "below": the next segment begins below the recovery point; "behind": this one does not. */
  readonly recovery: Recovery;
  readonly place: "earlier" | "last";
}

/**
 * "trust": sizes and indexes are as they were closed; "resume": walk from the last place that both
 * indexes know, headers up to the recovery point and CRCs from there; "walk": CRCs from its base.
 */
export type SegmentDecision = "drop" | "trust" | "resume" | "walk";

export const segmentCases = new DecisionTable<SegmentFacts, SegmentDecision>("segmentCases", {
  stop: STOPS,
  start: ["below", "in the log"],
  recovery: RECOVERIES,
  place: ["earlier", "last"],
}, [
  {
    label: "all of it was deleted",
    when: { start: "below", place: "earlier" },
    decision: "drop",
  },
  {
    label: "as it was closed",
    when: { stop: "clean", start: "in the log" },
    decision: "trust",
  },
  {
    label: "impossible: the last one has no next; as it was closed",
    when: { stop: "clean", start: "below", place: "last" },
    decision: "trust",
  },
  {
    label: "the sync that moved the recovery point past it made its indexes durable first",
    when: { stop: "unclean", start: "in the log", recovery: "below", place: "earlier" },
    decision: "trust",
  },
  {
    label: "impossible: the last one has no next",
    when: { stop: "unclean", recovery: "below", place: "last" },
    decision: "resume",
  },
  {
    label: "durable at first, perhaps torn at its end",
    when: { stop: "unclean", start: "in the log", recovery: "around" },
    decision: "resume",
  },
  {
    label: "nothing of it is known to be durable",
    when: { stop: "unclean", start: "in the log", recovery: "behind" },
    decision: "walk",
  },
  {
    label: "impossible: the last one has no next",
    when: {
      stop: "unclean",
      start: "below",
      recovery: ["around", "behind"],
      place: "last",
    },
    decision: "walk",
  },
]);

export interface IndexFacts {
  readonly segment: "trust" | "resume" | "walk";
  readonly kind: "offset and time" | "transaction";
  /**
   * "torn": ends with half an entry; "lying": does not go up, leaves the log, or points to another
   * batch; "stale": ends too soon; "behind zeros": as Kafka preallocates it, or power loss leaves it.
   */
  readonly state: "sound" | "missing" | "torn" | "lying" | "stale" | "behind zeros";
}

/** "rebuild": from the whole segment, when it is first used. "take over": the good entries at first. */
export type IndexDecision = "use" | "rebuild" | "take over" | "anew" | "none";

export const indexCases = new DecisionTable<IndexFacts, IndexDecision>("indexCases", {
  segment: ["trust", "resume", "walk"],
  kind: ["offset and time", "transaction"],
  state: ["sound", "missing", "torn", "lying", "stale", "behind zeros"],
}, [
  { label: "as it was closed", when: { segment: "trust", state: "sound" }, decision: "use" },
  {
    label: "found out when it is first used",
    when: { segment: "trust", state: ["torn", "lying", "behind zeros"] },
    decision: "rebuild",
  },
  {
    label: "found out when it is first used",
    when: { segment: "trust", kind: "offset and time", state: ["missing", "stale"] },
    decision: "rebuild",
  },
  {
    label: "a segment without aborted transactions has none; only a walk could tell (as Kafka)",
    when: { segment: "trust", kind: "transaction", state: ["missing", "stale"] },
    decision: "none",
  },
  {
    label: "both go up as far as a batch that both name; the walk adds the rest",
    when: {
      segment: "resume",
      kind: "offset and time",
      state: ["sound", "torn", "lying", "stale", "behind zeros"],
    },
    decision: "take over",
  },
  {
    label: "made again by the walk from the base",
    when: { segment: "resume", kind: "offset and time", state: "missing" },
    decision: "anew",
  },
  {
    label: "durable up to the producer snapshot; the walk from there adds the rest",
    when: { segment: "resume", kind: "transaction", state: ["sound", "missing", "stale"] },
    decision: "take over",
  },
  {
    label: "made again by a walk from a snapshot below the segment",
    when: { segment: "resume", kind: "transaction", state: ["torn", "lying", "behind zeros"] },
    decision: "anew",
  },
  { label: "made again by the walk", when: { segment: "walk" }, decision: "anew" },
]);

// --- what a walk comes to --------------------------------------------------------------------------

export interface DamageFacts {
  readonly stop: Stop;
  readonly found: "torn" | "corrupt" | "out of order" | "bad crc";
  /** Of the offset that a batch there would have at least. */
  readonly place: "below" | "at" | "behind";
}

/** D11: what was durable is never cut. */
export const damageCases = new DecisionTable<DamageFacts, "cut" | "refuse">("damageCases", {
  stop: STOPS,
  found: ["torn", "corrupt", "out of order", "bad crc"],
  place: ["below", "at", "behind"],
}, [
  {
    label: "all of it was durable when it was closed",
    when: { stop: "clean" },
    decision: "refuse",
  },
  {
    label: "it was durable, so it is damage and no torn tail",
    when: { stop: "unclean", place: "below" },
    decision: "refuse",
  },
  {
    label: "never known as durable here; what lies behind goes with it",
    when: { stop: "unclean", place: ["at", "behind"] },
    decision: "cut",
  },
]);

export interface GapFacts {
  readonly stop: Stop;
  readonly place: "below" | "at" | "behind";
  /** Of recovery points: without it, 0 stands for all of them. */
  readonly checkpoint: "there" | "missing";
}

export type GapDecision = "accept" | "accept and tell" | "cut";

/**
 * Offsets that no batch has, between the end of one segment and the base of the next. Cleaning leaves
 * such gaps, below a recovery point that it writes down first. Behind the one that was written it is
 * the lost end of the earlier segment: batches that nobody was told are durable, and what comes behind
 * them was not either.
 */
export const gapCases = new DecisionTable<GapFacts, GapDecision>("gapCases", {
  stop: STOPS,
  place: ["below", "at", "behind"],
  checkpoint: ["there", "missing"],
}, [
  { label: "cleaning leaves gaps", when: { stop: "clean" }, decision: "accept" },
  {
    label: "cleaning leaves gaps",
    when: { stop: "unclean", place: "below" },
    decision: "accept",
  },
  {
    label: "a segment that lost its end takes what lies behind along",
    when: { stop: "unclean", place: ["at", "behind"], checkpoint: "there" },
    decision: "cut",
  },
  {
    label: "cleaning or a loss of power: nobody knows which",
    when: { stop: "unclean", place: ["at", "behind"], checkpoint: "missing" },
    decision: "accept and tell",
  },
]);

// --- the ends --------------------------------------------------------------------------------------

export interface EndFacts {
  readonly lastSegment: "empty" | "data";
  /** Of the newest snapshot and the recovery point: both name the end that the close wrote. */
  readonly names: "agree" | "differ";
}

/**
 * Of a cleanly closed log. "look": at the last index entry and the headers behind it. A segment that
 * holds nothing may still end behind its base: a log that was cut in a gap between offsets does.
 */
export const endCases = new DecisionTable<EndFacts, "its base" | "as named" | "look">("endCases", {
  lastSegment: ["empty", "data"],
  names: ["agree", "differ"],
}, [
  {
    label: "two files, written at the close, say the same",
    when: { names: "agree" },
    decision: "as named",
  },
  {
    label: "ends where it begins",
    when: { lastSegment: "empty", names: "differ" },
    decision: "its base",
  },
  {
    label: "one of them is missing, old or not ours",
    when: { lastSegment: "data", names: "differ" },
    decision: "look",
  },
]);

export interface LookFacts {
  /** Where the look found the end, with regard to the recovery point that the close wrote. */
  readonly end: "at or behind" | "below";
}

/** What was found at the end of a cleanly closed log. */
export const lookCases = new DecisionTable<LookFacts, "believe" | "refuse">("lookCases", {
  end: ["at or behind", "below"],
}, [
  { label: "as it was closed", when: { end: "at or behind" }, decision: "believe" },
  { label: "it was longer when it was closed", when: { end: "below" }, decision: "refuse" },
]);

export interface StartFacts {
  /** Of the log's end, with regard to where the checkpoint says that it starts. */
  readonly end: "at or above the start" | "below the start";
}

/** Source: kafka: LogLoader.deleteSegmentsIfLogStartGreaterThanLogEnd. */
export const startCases = new DecisionTable<StartFacts, "keep" | "begin anew">("startCases", {
  end: ["at or above the start", "below the start"],
}, [
  {
    label: "begins at the later of the checkpoint and its first segment",
    when: { end: "at or above the start" },
    decision: "keep",
  },
  {
    label: "all that is left was deleted; the offsets below the start must not be given again",
    when: { end: "below the start" },
    decision: "begin anew",
  },
]);

// --- what follows from the batches -----------------------------------------------------------------

export interface SnapshotFacts {
  readonly content: "sound" | "bad" | "missing";
  /** Of its offset: up to where it may be believed, or behind. */
  readonly place: "usable" | "behind";
}

/** For each snapshot, from the newest on, until one is loaded; without any the batches tell all. */
export const snapshotCases = new DecisionTable<SnapshotFacts, "load" | "pass over">(
  "snapshotCases",
  {
    content: ["sound", "bad", "missing"],
    place: ["usable", "behind"],
  },
  [
    {
      label: "tells of all batches below its offset",
      when: { content: "sound", place: "usable" },
      decision: "load",
    },
    {
      label: "its CRC or its form says that it is not whole",
      when: { content: ["bad", "missing"], place: "usable" },
      decision: "pass over",
    },
    {
      label: "of batches that may be gone, or came after",
      when: { place: "behind" },
      decision: "pass over",
    },
  ],
);

export interface EpochFacts {
  readonly stop: Stop;
  readonly file: "sound" | "bad" | "missing";
}

/** "extend": entries as of the last sync; the walk adds what came later. */
export const epochCases = new DecisionTable<EpochFacts, "use" | "extend" | "anew">("epochCases", {
  stop: STOPS,
  file: ["sound", "bad", "missing"],
}, [
  { label: "as it was closed", when: { stop: "clean", file: "sound" }, decision: "use" },
  { label: "as of the last sync", when: { stop: "unclean", file: "sound" }, decision: "extend" },
  {
    label: "every batch carries its epoch: a walk over all headers",
    when: { file: ["bad", "missing"] },
    decision: "anew",
  },
]);

/** All tables, for the test that walks them. */
export const RECOVERY_TABLES = [
  fileCases,
  orphanCases,
  segmentCases,
  indexCases,
  damageCases,
  gapCases,
  endCases,
  lookCases,
  startCases,
  snapshotCases,
  epochCases,
] as const;
