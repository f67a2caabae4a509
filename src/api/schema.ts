/**
 * The schema of a message as a constant, and the TypeScript types that follow from it.
 *
 * A field says its name (Kafka's, in camelCase), its type, the versions that have it, the versions in
 * which it may be null, and its tag where it is a tagged field (KIP-482). `wire/` compiles a schema and
 * a version to a reader and a writer; nothing here touches bytes.
 *
 *     { name: "topicName", type: "string", versions: "0-12", default: "" }
 *     { name: "partitions", array: "int32", versions: "0+" }
 *     { name: "topics", array: [ …fields ], versions: "0+", nullable: "1+" }
 *     { name: "currentLeader", struct: [ …fields ], versions: "12+", tagged: "12+", tag: 1 }
 */
import type { Uuid } from "../ground/uuid.ts";
import type { Foreign } from "../ground/writer.ts";

/** "3", "0-4", "3+" or "none". */
export type VersionRange = string;

/**
 * `bigint64` is an int64 of which every bit counts, such as a hash; all others are safe integers. A
 * reader gives `bytes` as a copy, and `records` as a view of the frame, which is lent.
 */
export type Primitive =
  | "bool"
  | "int8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "bigint64"
  | "float64"
  | "string"
  | "bytes"
  | "records"
  | "uuid";

interface FieldBase {
  readonly name: string;
  readonly versions: VersionRange;
  readonly nullable?: VersionRange;
  readonly tagged?: VersionRange;
  readonly tag?: number;
  /** What the reader gives where the version has no such field, and the writer where none is given. */
  readonly default?: string | number | bigint | boolean | null | readonly never[];
}

export type Field =
  | FieldBase & {
    readonly type: Primitive;
    /** A string for people: a writer cuts what is longer than any string may be. */
    readonly mayBeCut?: true;
  }
  | FieldBase & { readonly array: Primitive | readonly Field[] }
  | FieldBase & { readonly struct: readonly Field[] };

export type Fields = readonly Field[];

/** The card of an API: everything about it but its meaning, which is in its handler. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number;
  readonly name: string;
  /** Versions that are served, lowest and highest. */
  readonly versions: readonly [low: number, high: number];
  /** Versions that ApiVersions tells, where they differ from `versions` (Produce: KAFKA-18659). */
  readonly advertised?: readonly [low: number, high: number];
  /** First flexible version (KIP-482); undefined = never. */
  readonly flexibleFrom?: number;
  readonly request: Request;
  readonly response: Response;
}

/** Keeps the literal types of a card, from which the types of its messages are derived. */
export function defineApi<const Request extends Fields, const Response extends Fields>(
  api: Api<Request, Response>,
): Api<Request, Response> {
  return api;
}

interface PrimitiveValues {
  bool: boolean;
  int8: number;
  int16: number;
  uint16: number;
  int32: number;
  uint32: number;
  int64: number;
  bigint64: bigint;
  float64: number;
  string: string;
  bytes: Uint8Array;
  records: Uint8Array;
  uuid: Uuid;
}

/** A batch may be written in parts that are not copied: memory, or ranges of a file. */
export type RecordsOut = Uint8Array | readonly Foreign[];

type ValueIn<F> = F extends { readonly type: infer P extends Primitive } ? PrimitiveValues[P]
  : F extends { readonly array: infer P extends Primitive } ? readonly PrimitiveValues[P][]
  : F extends { readonly array: infer S extends Fields } ? readonly Shape<S>[]
  : F extends { readonly struct: infer S extends Fields } ? Shape<S>
  : never;

type ValueOut<F> = F extends { readonly type: "records" } ? RecordsOut
  : F extends { readonly type: infer P extends Primitive } ? PrimitiveValues[P]
  : F extends { readonly array: infer P extends Primitive } ? readonly PrimitiveValues[P][]
  : F extends { readonly array: infer S extends Fields } ? readonly Input<S>[]
  : F extends { readonly struct: infer S extends Fields } ? Input<S>
  : never;

type Null<F> = F extends { readonly nullable: string } ? null : never;
type MayBeLeftOut = { readonly default: unknown } | { readonly tag: number };
type Flat<T> = { [K in keyof T]: T[K] };

/** What a reader gives: every field of every version is there, absent ones with their default. */
export type Shape<S extends Fields> = Flat<
  { readonly [F in S[number] as F["name"]]: ValueIn<F> | Null<F> }
>;

/** What a writer takes: fields with a default and tagged fields may be left out. */
export type Input<S extends Fields> = Flat<
  & {
    readonly [F in S[number] as F extends MayBeLeftOut ? never : F["name"]]: ValueOut<F> | Null<F>;
  }
  & {
    readonly [F in S[number] as F extends MayBeLeftOut ? F["name"] : never]?: ValueOut<F> | Null<F>;
  }
>;

export type RequestOf<A extends Api> = Shape<A["request"]>;
export type ResponseOf<A extends Api> = Shape<A["response"]>;
export type RequestInput<A extends Api> = Input<A["request"]>;
export type ResponseInput<A extends Api> = Input<A["response"]>;
