/** Something in a segment that is no batch of this log: whether it may be cut off (`recovery.ts`). */
import type { ScanEnding } from "../batch_scanner.ts";
import { damageCases, type DamageFacts, type Stop } from "../recovery.ts";
import type { Segment } from "../segment/segment.ts";
import { damageFault } from "./damage_fault.ts";

export interface FoundDamage {
  readonly position: number;
  readonly ending: ScanEnding;
  /** False where a CRC says so. */
  readonly isSound?: boolean;
  readonly place: DamageFacts["place"];
}

/** What is known of the log that it lies in. */
export interface DamagedLog {
  readonly stop: Stop;
  readonly recoveryPoint: number;
  /** That a batch there would have at least. */
  readonly nextOffset: number;
}

/** Throws a `LogFault` unless it may be cut. */
export function refuseUnlessCut(
  segment: Segment,
  { position, ending, isSound = true, place }: FoundDamage,
  { stop, recoveryPoint, nextOffset }: DamagedLog,
): void {
  const stopped = isSound ? "out of order" : "bad crc";
  const found = ending === "torn" || ending === "corrupt" ? ending : stopped;
  if (damageCases.decide({ stop, found, place }) === "cut") return;
  const known = stop === "clean"
    ? "the log was closed cleanly"
    : `offsets below ${recoveryPoint} were durable`;
  throw damageFault(
    segment.path("log"),
    `it is damaged at byte ${position} of ${segment.sizeInBytes} (${found}), from offset ` +
      `${nextOffset} on, and ${known}`,
  );
}
