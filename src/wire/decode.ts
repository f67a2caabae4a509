/**
 * Compiles a schema and a version to a reader: a tree of closures, straight lines over `Reader`.
 *
 * Every struct gets all fields of all versions, in the order of the schema, so that all versions of
 * a struct have one shape, for the reader of the code and for the runtime's inline caches.
 *
 * Lenient where Kafka is: any negative length is null, unknown tags are skipped, bytes behind the
 * last field are left for the caller to judge. Whoever decodes checks `reader.failure` at the end.
 */
import type { Field, Fields, Primitive } from "../api/schema.ts";
import type { Reader } from "../ground/reader.ts";
import { utf8Bytes } from "../ground/text.ts";
import { defaultOf } from "./defaults.ts";
import { includesVersion } from "./version_range.ts";

export type Decode = (reader: Reader) => unknown;

/** What a compilation goes by. */
export interface Target {
  readonly version: number;
  /** Compact lengths, and a tag section behind every struct (KIP-482). */
  readonly flexible: boolean;
}

/** No message has more than a handful; more is an attack on the decoder. */
const TAGS_MAX = 64;
/** Kafka's bound of a string, whatever its length is written in. */
const STRING_BYTES_MAX = 0x7fff;

export function structDecoder(fields: Fields, target: Target): Decode {
  const names: string[] = [];
  const decoders: Decode[] = [];
  const tagged = new Map<number, TaggedDecoder>();
  for (const field of fields) {
    const isThere = includesVersion(field.versions, target.version);
    const isInTags = isThere && isTagged(field, target);
    names.push(field.name);
    decoders.push(isThere && !isInTags ? fieldDecoder(field, target) : constantly(field));
    if (isInTags) {
      tagged.set(field.tag as number, { name: field.name, decode: fieldDecoder(field, target) });
    }
  }
  const count = names.length;
  return (reader) => {
    const struct: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) {
      struct[names[index] as string] = (decoders[index] as Decode)(reader);
    }
    if (target.flexible) readTags(reader, struct, tagged);
    return struct;
  };
}

/** Whether a field that is there is one of the tag section. */
export function isTagged({ tagged }: Field, { version, flexible }: Target): boolean {
  return flexible && includesVersion(tagged, version);
}

/** Stands for a field that the wire does not carry here. */
function constantly(field: Field): Decode {
  const value = defaultOf(field);
  return () => value;
}

interface TaggedDecoder {
  readonly name: string;
  readonly decode: Decode;
}

/** Skips a tag section of which nothing is known, as the header's. */
export function skipTags(reader: Reader): void {
  readTags(reader, {}, NO_TAGS);
}

const NO_TAGS: ReadonlyMap<number, TaggedDecoder> = new Map();

function readTags(
  reader: Reader,
  struct: Record<string, unknown>,
  tagged: ReadonlyMap<number, TaggedDecoder>,
): void {
  const count = reader.unsignedVarint();
  if (count === 0) return;
  if (count > TAGS_MAX) return reader.fail(`Cannot read ${count} tags: at most ${TAGS_MAX} may be`);
  for (let index = 0; index < count && reader.failure === undefined; index++) {
    const tag = reader.unsignedVarint();
    const byteLength = reader.unsignedVarint();
    const known = tagged.get(tag);
    if (known === undefined || byteLength > reader.remaining) {
      reader.skip(byteLength);
      continue;
    }
    const end = reader.position + byteLength;
    struct[known.name] = known.decode(reader);
    if (reader.position !== end) {
      reader.fail(`Cannot read tag ${tag}: it is not ${byteLength} long`);
    }
  }
}

function fieldDecoder(field: Field, target: Target): Decode {
  const onNull = includesVersion(field.nullable, target.version)
    ? (): null => null
    : rejectNull(field);
  if ("type" in field) return primitiveDecoder(field.type, target, onNull);
  if ("array" in field) {
    return typeof field.array === "string"
      ? arrayDecoder(primitiveDecoder(field.array, target, rejectNull(field)), {
        bytesMin: primitiveBytesMin(field.array, target),
        flexible: target.flexible,
        onNull,
      })
      : arrayDecoder(structDecoder(field.array, target), {
        bytesMin: structBytesMin(field.array, target),
        flexible: target.flexible,
        onNull,
      });
  }
  const decode = structDecoder(field.struct, target);
  if (!includesVersion(field.nullable, target.version)) return decode;
  // One of Kafka's generated classes reads a byte, and a varint where the struct is tagged.
  return isTagged(field, target)
    ? (reader) => reader.unsignedVarint() === 0 ? null : decode(reader)
    : (reader) => reader.int8() < 0 ? null : decode(reader);
}

/** Gives what stands for a null; fails the reader where null is not allowed. */
type OnNull = (reader: Reader) => unknown;

function rejectNull(field: Field): OnNull {
  const instead = "array" in field ? [] : "type" in field && field.type === "string" ? "" : null;
  return (reader) => {
    reader.fail(`Cannot read ${field.name}: it is null, which this version does not allow`);
    return instead;
  };
}

interface ArrayFacts {
  readonly bytesMin: number;
  readonly flexible: boolean;
  readonly onNull: OnNull;
}

function arrayDecoder(decode: Decode, { bytesMin, flexible, onNull }: ArrayFacts): Decode {
  return (reader) => {
    const declared = flexible ? reader.unsignedVarint() - 1 : reader.int32();
    if (declared < 0 && reader.failure === undefined) return onNull(reader);
    const count = reader.elements(declared, bytesMin);
    const elements: unknown[] = [];
    for (let index = 0; index < count && reader.failure === undefined; index++) {
      elements.push(decode(reader));
    }
    return elements;
  };
}

function primitiveDecoder(type: Primitive, { flexible }: Target, onNull: OnNull): Decode {
  switch (type) {
    case "bool":
      return (reader) => reader.bool();
    case "int8":
      return (reader) => reader.int8();
    case "int16":
      return (reader) => reader.int16();
    case "uint16":
      return (reader) => reader.uint16();
    case "int32":
      return (reader) => reader.int32();
    case "uint32":
      return (reader) => reader.uint32();
    case "int64":
      return (reader) => reader.int64();
    case "bigint64":
      return (reader) => reader.bigint64();
    case "float64":
      return (reader) => reader.float64();
    case "uuid":
      return (reader) => reader.uuid();
    case "string":
      return stringDecoder(flexible, onNull);
    case "bytes":
      return copyDecoder(bytesDecoder(flexible, onNull));
    case "records":
      return bytesDecoder(flexible, onNull);
  }
}

function stringDecoder(flexible: boolean, onNull: OnNull): Decode {
  return (reader) => {
    const byteLength = flexible ? reader.unsignedVarint() - 1 : reader.int16();
    if (byteLength < 0) return reader.failure === undefined ? onNull(reader) : "";
    if (byteLength > STRING_BYTES_MAX) {
      reader.fail(`Cannot read string: ${byteLength} bytes are over ${STRING_BYTES_MAX}`);
      return "";
    }
    const text = reader.text(byteLength);
    // A byte that is not UTF-8 becomes a character of three; the text must still fit into an answer.
    if (byteLength > STRING_BYTES_MAX / 3 && utf8Bytes(text) > STRING_BYTES_MAX) {
      reader.fail("Cannot read string: it is not UTF-8");
    }
    return text;
  };
}

function bytesDecoder(flexible: boolean, onNull: OnNull): Decode {
  return (reader) => {
    const byteLength = flexible ? reader.unsignedVarint() - 1 : reader.int32();
    if (byteLength < 0) return reader.failure === undefined ? onNull(reader) : null;
    return reader.take(byteLength);
  };
}

/** What members of groups say of themselves is kept, and frames are lent; records are too many. */
function copyDecoder(decode: Decode): Decode {
  return (reader) => (decode(reader) as Uint8Array | null)?.slice() ?? null;
}

/** The least that one struct takes: bounds the count of an array before anything is made. */
function structBytesMin(fields: Fields, target: Target): number {
  let bytes = target.flexible ? 1 : 0;
  for (const field of fields) {
    if (!includesVersion(field.versions, target.version)) continue;
    if (target.flexible && includesVersion(field.tagged, target.version)) continue;
    bytes += fieldBytesMin(field, target);
  }
  return Math.max(bytes, 1);
}

function fieldBytesMin(field: Field, target: Target): number {
  if ("type" in field) return primitiveBytesMin(field.type, target);
  if ("array" in field) return target.flexible ? 1 : 4;
  return includesVersion(field.nullable, target.version) ? 1 : structBytesMin(field.struct, target);
}

function primitiveBytesMin(type: Primitive, { flexible }: Target): number {
  if (type === "string") return flexible ? 1 : 2;
  if (type === "bytes" || type === "records") return flexible ? 1 : 4;
  return FIXED_BYTES[type];
}

const FIXED_BYTES = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  bigint64: 8,
  float64: 8,
  uuid: 16,
} as const satisfies Record<Exclude<Primitive, "string" | "bytes" | "records">, number>;
