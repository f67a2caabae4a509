/**
 * Readers and writers of messages, compiled from their schemas at first use and kept.
 *
 * Lazily, because a broker speaks two versions of each API in its life and serves up to eighteen:
 * start-up time counts. Compiling is in `decode.ts` and `encode.ts`.
 */
import { isFlexible } from "../api/registry.ts";
import type {
  Api,
  Fields,
  Input,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
  Shape,
} from "../api/schema.ts";
import type { Reader } from "../ground/reader.ts";
import type { Writer } from "../ground/writer.ts";
import { type Decode, structDecoder, type Target } from "./decode.ts";
import { type Encode, structEncoder } from "./encode.ts";

/** Reads one message; `reader.failure` tells afterwards whether it was one. */
export type Read<T> = (reader: Reader) => T;
/** Writes one message. */
export type Write<T> = (writer: Writer, value: T) => void;

/** The reader of `fields` in one version. */
export function readerOf<S extends Fields>(
  fields: S,
  version: number,
  flexible: boolean,
): Read<Shape<S>> {
  return compiled(decoders, fields, { version, flexible }) as Read<Shape<S>>;
}

/** The writer of `fields` in one version. */
export function writerOf<S extends Fields>(
  fields: S,
  version: number,
  flexible: boolean,
): Write<Input<S>> {
  return compiled(encoders, fields, { version, flexible }) as Write<Input<S>>;
}

export function requestReader<A extends Api>(api: A, version: number): Read<RequestOf<A>> {
  return readerOf(api.request, version, isFlexible(api, version)) as Read<RequestOf<A>>;
}

export function requestWriter<A extends Api>(api: A, version: number): Write<RequestInput<A>> {
  return writerOf(api.request, version, isFlexible(api, version)) as Write<RequestInput<A>>;
}

export function responseReader<A extends Api>(api: A, version: number): Read<ResponseOf<A>> {
  return readerOf(api.response, version, isFlexible(api, version)) as Read<ResponseOf<A>>;
}

export function responseWriter<A extends Api>(api: A, version: number): Write<ResponseInput<A>> {
  return writerOf(api.response, version, isFlexible(api, version)) as Write<ResponseInput<A>>;
}

interface Cache<T> {
  readonly compile: (fields: Fields, target: Target) => T;
  /** By schema, then by version (twice the version, plus one where flexible). */
  readonly known: WeakMap<Fields, (T | undefined)[]>;
}

const decoders: Cache<Decode> = { compile: structDecoder, known: new WeakMap() };
const encoders: Cache<Encode> = { compile: structEncoder, known: new WeakMap() };

function compiled<T>({ compile, known }: Cache<T>, fields: Fields, target: Target): T {
  let versions = known.get(fields);
  if (versions === undefined) known.set(fields, versions = []);
  return versions[target.version * 2 + (target.flexible ? 1 : 0)] ??= compile(fields, target);
}
