/** UTF-8 to text and back, with a fast path for the short ASCII strings the protocol is full of. */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // a BOM is a character like others
const encoder = new TextEncoder();
/** Up to this length the loop beats the decoder (measured on Bun and Deno). */
const SHORT_BYTES = 6;

/** Bytes that are not UTF-8 become U+FFFD, as in Kafka: no text from outside throws. */
export function textOf(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  if (end - start <= SHORT_BYTES) {
    let text = "";
    for (let at = start; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte >= 0x80) return decoder.decode(bytes.subarray(start, end));
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The bytes that `text` takes in UTF-8; half of a surrogate pair counts as U+FFFD. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair takes four bytes: three that are counted by now, and one for its second unit.
    if (isPair(unit, text.charCodeAt(index + 1))) index++;
  }
  return bytes;
}

/** `text`, or as much of its beginning as takes at most `bytesMax` bytes in UTF-8. */
export function textWithin(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax || utf8Bytes(text) <= bytesMax) return text;
  let bytes = 0;
  let length = 0;
  for (const character of text) { // by code points: no pair is cut in two
    bytes += utf8Bytes(character);
    if (bytes > bytesMax) break;
    length += character.length;
  }
  return text.slice(0, length);
}

function isPair(unit: number, next: number): boolean {
  return (unit & 0xfc00) === 0xd800 && (next & 0xfc00) === 0xdc00;
}

/** Writes `text` at `at`, where `utf8Bytes(text)` bytes are free. */
export function putText(target: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) {
      target.set(bytesOf(text.slice(index)), at + index);
      return;
    }
    target[at + index] = unit;
  }
}

/** Whether the bytes are well-formed UTF-8, so that `bytesOf(textOf(x))` gives them back. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false; // the decoder's only way to say no
  }
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
