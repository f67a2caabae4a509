/**
 * Branded numbers: offsets, ids and times that cannot be mixed up.
 *
 * They are plain doubles at run time (adding two of them is an ordinary addition, which gives a
 * `number`); a named function below makes one, and checks that it is a safe integer. There are no
 * bigints in mq: an int64 on the wire is held to ±(2^53 − 1), see `Reader.int64`.
 */
import { assert } from "./assert.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** The place of a record in its partition, from 0. */
export type Offset = Branded<"Offset">;
/** Milliseconds: a time since 1970 or a duration; the name of the variable says which. */
export type Ms = Branded<"Ms">;
/** How often the leader of a partition has changed; -1 = unknown. */
export type LeaderEpoch = Branded<"LeaderEpoch">;
/** Identity of a producer, given out by InitProducerId; -1 = none. */
export type ProducerId = Branded<"ProducerId">;
/** The identity of a broker within its cluster. */
export type BrokerId = Branded<"BrokerId">;

function safeInteger(value: number, what: string): number {
  // The text is made only where it is needed: this runs for every offset of every message.
  if (!Number.isSafeInteger(value)) assert(false, `${what} ${value} is a safe integer`);
  return value;
}

export function toOffset(value: number): Offset {
  return safeInteger(value, "offset") as Offset;
}

/** A time or duration; a fraction of a millisecond is cut off. */
export function toMs(value: number): Ms {
  return safeInteger(Math.floor(value), "milliseconds") as Ms;
}

export function toLeaderEpoch(value: number): LeaderEpoch {
  return safeInteger(value, "leader epoch") as LeaderEpoch;
}

export function toProducerId(value: number): ProducerId {
  return safeInteger(value, "producer id") as ProducerId;
}

export function toBrokerId(value: number): BrokerId {
  return safeInteger(value, "broker id") as BrokerId;
}
