/**
 * Equality of values by their content, as `toEqual` means it: a property that is undefined is the
 * same as one that is not there, and bytes are equal whatever view they are seen through.
 */

/** Whether two values have the same content. */
export function deepEqual(actual: unknown, expected: unknown): boolean {
  if (Object.is(actual, expected)) return true;
  if (!isObject(actual) || !isObject(expected)) return false;
  if (ArrayBuffer.isView(actual) && ArrayBuffer.isView(expected)) {
    return sameBytes(actual, expected);
  }
  if (Array.isArray(actual) !== Array.isArray(expected)) return false;
  if (isText(actual) && isText(expected)) return String(actual) === String(expected);
  if (actual instanceof Map || expected instanceof Map) return sameMap(actual, expected);
  if (actual instanceof Set || expected instanceof Set) return sameSet(actual, expected);
  return sameProperties(actual, expected);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Values whose text is all that counts. */
function isText(value: object): boolean {
  return value instanceof Date || value instanceof RegExp || value instanceof Error;
}

function sameBytes(actual: ArrayBufferView, expected: ArrayBufferView): boolean {
  if (actual.byteLength !== expected.byteLength) return false;
  const left = new Uint8Array(actual.buffer, actual.byteOffset, actual.byteLength);
  const right = new Uint8Array(expected.buffer, expected.byteOffset, expected.byteLength);
  return left.every((byte, index) => byte === right[index]);
}

function sameMap(actual: object, expected: object): boolean {
  if (!(actual instanceof Map) || !(expected instanceof Map)) return false;
  if (actual.size !== expected.size) return false;
  for (const [key, value] of actual) {
    if (!expected.has(key) || !deepEqual(value, expected.get(key))) return false;
  }
  return true;
}

function sameSet(actual: object, expected: object): boolean {
  if (!(actual instanceof Set) || !(expected instanceof Set)) return false;
  if (actual.size !== expected.size) return false;
  const wanted = [...expected];
  return [...actual].every((value) => wanted.some((other) => deepEqual(value, other)));
}

function sameProperties(actual: object, expected: object): boolean {
  const left = actual as Record<string, unknown>;
  const right = expected as Record<string, unknown>;
  if (Array.isArray(actual) && Array.isArray(expected) && actual.length !== expected.length) {
    return false;
  }
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!deepEqual(left[key], right[key])) return false;
  }
  return true;
}
