/** Text and bytes of keys, values and headers: UTF-8 where it is well-formed, told apart where not. */

/** A header of a record; keys repeat, and their order counts. */
export type Header = readonly [key: string, value: Uint8Array | null];

const encoder = new TextEncoder();
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

export function toBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Malformed bytes become U+FFFD. */
export function toText(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

/** Undefined where the bytes are not well-formed UTF-8, so that they would not come back. */
export function toTextExactly(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined; // the only way a strict decoder says no
  }
}
