/**
 * Compiles a schema and a version to a writer: the mirror of `decode.ts`.
 *
 * A value for a field that the version lacks is left out without a word, as is a tagged field that
 * has its default. A null that the version does not allow, or a string over 32,767 bytes, is an
 * error of the program that made the message, and ends it: no peer could read what was written. Only
 * text for people is cut to what fits.
 */
import type { Field, Fields, Primitive, RecordsOut } from "../api/schema.ts";
import { assert } from "../ground/assert.ts";
import { textWithin, utf8Bytes } from "../ground/text.ts";
import type { Uuid } from "../ground/uuid.ts";
import { Writer } from "../ground/writer.ts";
import { isTagged, type Target } from "./decode.ts";
import { defaultOf } from "./defaults.ts";
import { includesVersion } from "./version_range.ts";

export type Encode = (writer: Writer, value: unknown) => void;

type Struct = Readonly<Record<string, unknown>>;

const STRING_BYTES_MAX = 0x7fff;

interface FieldEncoder {
  readonly name: string;
  readonly encode: Encode;
  readonly whenLeftOut: unknown;
}

interface TaggedEncoder extends FieldEncoder {
  readonly tag: number;
  readonly isDefault: (value: unknown) => boolean;
}

export function structEncoder(fields: Fields, target: Target): Encode {
  const plain: FieldEncoder[] = [];
  const tagged: TaggedEncoder[] = [];
  for (const field of fields) {
    if (!includesVersion(field.versions, target.version)) continue;
    const encoder = {
      name: field.name,
      encode: fieldEncoder(field, target),
      whenLeftOut: defaultOf(field),
    };
    if (isTagged(field, target)) {
      tagged.push({ ...encoder, tag: field.tag as number, isDefault: isDefault(field) });
    } else {
      plain.push(encoder);
    }
  }
  tagged.sort((left, right) => left.tag - right.tag); // KIP-482: in ascending order
  const count = plain.length;
  return (writer, value) => {
    const struct = value as Struct;
    for (let index = 0; index < count; index++) {
      const { name, encode, whenLeftOut } = plain[index] as FieldEncoder;
      const given = struct[name];
      encode(writer, given === undefined ? whenLeftOut : given);
    }
    if (target.flexible) writeTags(writer, struct, tagged);
  };
}

function writeTags(writer: Writer, struct: Struct, tagged: readonly TaggedEncoder[]): void {
  let count = 0;
  for (const { name, isDefault } of tagged) if (!isDefault(struct[name])) count++;
  writer.unsignedVarint(count);
  if (count === 0) return;
  for (const { name, tag, encode, isDefault } of tagged) {
    const value = struct[name];
    if (isDefault(value)) continue;
    const content = new Writer(64); // its length stands before it
    encode(content, value);
    writer.unsignedVarint(tag);
    writer.unsignedVarint(content.byteLength);
    writer.raw(content.finish());
  }
}

/** Tells whether a value equals the field's default, so that it need not be written. */
function isDefault(field: Field): (value: unknown) => boolean {
  const standard = defaultOf(field);
  if ("array" in field) {
    return (value) =>
      value === undefined || value === standard ||
      (standard !== null && Array.isArray(value) && value.length === 0);
  }
  if ("struct" in field && standard !== null) {
    const parts = field.struct.map((part) => ({ name: part.name, isDefault: isDefault(part) }));
    return (value) =>
      value === undefined ||
      (value !== null && parts.every((part) => part.isDefault((value as Struct)[part.name])));
  }
  if ("type" in field && (field.type === "bytes" || field.type === "records")) {
    return (value) =>
      value === undefined || value === standard ||
      (standard !== null && value !== null && recordsByteLength(value as RecordsOut) === 0);
  }
  return (value) => value === undefined || value === standard;
}

function fieldEncoder(field: Field, target: Target): Encode {
  const mayBeNull = includesVersion(field.nullable, target.version);
  const encode = valueEncoder(field, target);
  const marksPresence = "struct" in field && mayBeNull;
  const writeNull = nullEncoder(field, target);
  const allowed = `${field.name} may be null in version ${target.version}`;
  return (writer, value) => {
    if (value === null) {
      assert(mayBeNull, allowed);
      writeNull(writer);
      return;
    }
    if (marksPresence) writer.int8(1); // as a byte and as a varint
    encode(writer, value);
  };
}

function nullEncoder(field: Field, target: Target): (writer: Writer) => void {
  const { flexible } = target;
  if ("struct" in field) return (writer) => writer.int8(isTagged(field, target) ? 0 : -1);
  if (flexible) return (writer) => writer.unsignedVarint(0);
  if ("type" in field && field.type === "string") return (writer) => writer.int16(-1);
  return (writer) => writer.int32(-1);
}

function valueEncoder(field: Field, target: Target): Encode {
  if ("type" in field) {
    return field.mayBeCut ? cutStringEncoder(target) : primitiveEncoder(field.type, target);
  }
  if ("struct" in field) return structEncoder(field.struct, target);
  const encode = typeof field.array === "string"
    ? primitiveEncoder(field.array, target)
    : structEncoder(field.array, target);
  const { flexible } = target;
  return (writer, value) => {
    const elements = value as readonly unknown[];
    if (flexible) writer.unsignedVarint(elements.length + 1);
    else writer.int32(elements.length);
    for (let index = 0; index < elements.length; index++) encode(writer, elements[index]);
  };
}

function primitiveEncoder(type: Primitive, { flexible }: Target): Encode {
  switch (type) {
    case "bool":
      return (writer, value) => writer.bool(value as boolean);
    case "int8":
      return (writer, value) => writer.int8(value as number);
    case "int16":
    case "uint16": // the same 16 bits
      return (writer, value) => writer.int16(value as number);
    case "int32":
      return (writer, value) => writer.int32(value as number);
    case "uint32":
      return (writer, value) => writer.uint32(value as number);
    case "int64":
      return (writer, value) => writer.int64(value as number);
    case "bigint64":
      return (writer, value) => writer.bigint64(value as bigint);
    case "float64":
      return (writer, value) => writer.float64(value as number);
    case "uuid":
      return (writer, value) => writer.uuid(value as Uuid);
    case "string":
      return stringEncoder(flexible);
    case "bytes":
      return bytesEncoder(flexible);
    case "records":
      return recordsEncoder(flexible);
  }
}

function stringEncoder(flexible: boolean): Encode {
  return (writer, value) => {
    const text = value as string;
    const byteLength = utf8Bytes(text);
    assert(byteLength <= STRING_BYTES_MAX, "a string is at most 32,767 bytes long");
    if (flexible) writer.unsignedVarint(byteLength + 1);
    else writer.int16(byteLength);
    writer.text(text);
  };
}

/** A message may quote a name that is as long as a string may be. */
function cutStringEncoder({ flexible }: Target): Encode {
  const encode = stringEncoder(flexible);
  return (writer, value) => encode(writer, textWithin(value as string, STRING_BYTES_MAX));
}

function bytesEncoder(flexible: boolean): Encode {
  return (writer, value) => {
    const bytes = value as Uint8Array;
    if (flexible) writer.unsignedVarint(bytes.length + 1);
    else writer.int32(bytes.length);
    writer.raw(bytes);
  };
}

/** Record batches are not copied: they go in as foreign parts behind their length. */
function recordsEncoder(flexible: boolean): Encode {
  return (writer, value) => {
    const records = value as RecordsOut;
    const byteLength = recordsByteLength(records);
    if (flexible) writer.unsignedVarint(byteLength + 1);
    else writer.int32(byteLength);
    if (records instanceof Uint8Array) writer.foreign(records);
    else for (const part of records) writer.foreign(part);
  };
}

function recordsByteLength(records: RecordsOut): number {
  if (records instanceof Uint8Array) return records.byteLength;
  let byteLength = 0;
  for (const part of records) byteLength += part.byteLength;
  return byteLength;
}
