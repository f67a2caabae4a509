/**
 * What a field is worth where the wire does not carry it: in versions that lack it, and as a tagged
 * field that was left out.
 *
 * A field's own default wins; otherwise it is Kafka's for the type: zero, false, no text, no
 * elements, and a struct of defaults. The values are made once and shared by all messages, whose
 * types are readonly.
 */
import type { Field, Fields } from "../api/schema.ts";
import { ZERO_UUID } from "../ground/uuid.ts";

const NO_BYTES = new Uint8Array(0);
const NO_ELEMENTS: readonly never[] = [];

export function defaultOf(field: Field): unknown {
  if (Array.isArray(field.default)) return NO_ELEMENTS;
  if (field.default !== undefined) return field.default;
  if ("array" in field) return NO_ELEMENTS;
  if ("struct" in field) return defaultStruct(field.struct);
  switch (field.type) {
    case "bool":
      return false;
    case "string":
      return "";
    case "bytes":
    case "records":
      return NO_BYTES;
    case "bigint64":
      return 0n;
    case "uuid":
      return ZERO_UUID;
    default:
      return 0;
  }
}

/** Has every field of every version, in the order of the schema. */
function defaultStruct(fields: Fields): Record<string, unknown> {
  const struct: Record<string, unknown> = {};
  for (const field of fields) struct[field.name] = defaultOf(field);
  return struct;
}
