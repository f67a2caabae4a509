/** A hash of all that happened, in the order it happened: equal on every run and every runtime. */

const PRIME_A = 0x01000193;
const PRIME_B = 0x85ebca6b;
/** Of longer ones only so many bytes of both ends, and the length, are looked at. */
const END_BYTES = 64;

export class TraceHash {
  #a = 0x811c9dc5;
  #b = 0x9e3779b9;
  readonly #labels = new Map<string, number>();

  number(value: number): void {
    const low = value | 0;
    const high = Math.floor(value / 0x1_0000_0000) | 0;
    this.#a = Math.imul(this.#a ^ low, PRIME_A) ^ high;
    this.#b = Math.imul(((this.#b << 13) | (this.#b >>> 19)) ^ low ^ high, PRIME_B);
  }

  label(label: string): void {
    let code = this.#labels.get(label);
    if (code === undefined) {
      code = 0;
      for (let at = 0; at < label.length; at++) {
        code = Math.imul(code, 31) + label.charCodeAt(at) | 0;
      }
      this.#labels.set(label, code);
    }
    this.number(code);
  }

  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.number(length);
    const head = Math.min(length, END_BYTES);
    let a = this.#a;
    for (let at = 0; at < head; at++) a = Math.imul(a ^ (bytes[at] as number), PRIME_A);
    for (let at = Math.max(head, length - END_BYTES); at < length; at++) {
      a = Math.imul(a ^ (bytes[at] as number), PRIME_A);
    }
    this.#a = a;
  }

  hex(): string {
    return [this.#a, this.#b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
