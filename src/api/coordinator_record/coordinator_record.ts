/**
 * The schema of a record of `__consumer_offsets`: Kafka's own, so that its tools and lag exporters
 * read what is written here, and a log that Kafka wrote is read here.
 *
 *     record key   = type: int16, then the key's fields (never flexible)
 *     record value = version: int16, then the value's fields in that version; null = tombstone
 *
 * The int16 before a key is called its version in old documents; since KIP-848 it is the type of the
 * record. What is written, and how bytes are told apart, is in `runtime/coordinator/record_codec.ts`.
 */
import type { Fields, Shape } from "../schema.ts";

export interface CoordinatorRecord<
  Name extends string = string,
  Key extends Fields = Fields,
  Value extends Fields = Fields,
> {
  readonly type: number;
  /** Kafka's name without "Key" and "Value". */
  readonly name: Name;
  readonly key: Key;
  readonly value: Value;
  /** Versions of the value that can be read, lowest and highest. */
  readonly valueVersions: readonly [low: number, high: number];
  /** First flexible version of the value (KIP-482); undefined = none. */
  readonly flexibleFrom?: number;
}

/** Keeps the literal types of a record, from which the types of its key and value are derived. */
export function defineCoordinatorRecord<
  const Name extends string,
  const Key extends Fields,
  const Value extends Fields,
>(record: CoordinatorRecord<Name, Key, Value>): CoordinatorRecord<Name, Key, Value> {
  return record;
}

/** A record as the machines know it; a value of null deletes what the key names. */
export interface RecordOf<R extends CoordinatorRecord> {
  readonly kind: R["name"];
  readonly key: Shape<R["key"]>;
  readonly value: Shape<R["value"]> | null;
}

export type KeyOf<R extends CoordinatorRecord> = Shape<R["key"]>;
export type ValueOf<R extends CoordinatorRecord> = Shape<R["value"]>;
