/**
 * Looks through msgpack bytes before they are decoded: what a peer sends must not cost more than it
 * weighs, nor end the program.
 *
 * The library trusts a declared length (an array of five bytes may say that four thousand million
 * elements follow, and room is made for them), recurses as deep as it is told, and has extensions of its
 * own that define structures. So: lengths are held against the bytes that are left, values are counted,
 * depth is bounded, and no extension passes. Everything else that it does not like it throws, which
 * `decodeMessagePack` catches.
 */

/** Values of one message; the largest real one has a tenth of it. */
const VALUES_MAX = 500_000;
const DEPTH_MAX = 16;

/**
 * What 0xc0 … 0xdf begin, and the bytes of the length, or of the value, behind them: nil, (unused),
 * false, true, bin 8 … 32, ext 8 … 32, float 32 and 64, uint 8 … 64, int 8 … 64, fixext 1 … 16,
 * str 8 … 32, array 16 and 32, map 16 and 32. Extensions do not pass.
 */
const KINDS = "-x--bbbxxxffffffffffxxxxxbbbaamm";
const LENGTH_BYTES = [
  ...[0, 0, 0, 0, 1, 2, 4, 0, 0, 0, 4, 8, 1, 2, 4, 8],
  ...[1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4],
];

/** Why the bytes from `start` to `end` are not exactly one harmless value; undefined where they are. */
export function refuseMessagePack(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): string | undefined {
  const scan = new Scan(bytes, start, end);
  while (scan.wanted > 0) {
    const failure = scan.value();
    if (failure !== undefined) return failure;
  }
  return scan.at === end ? undefined : `${end - scan.at} bytes are left over`;
}

class Scan {
  at: number;
  /** Values that are still to come at this depth. */
  wanted = 1;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #outer: number[] = [];
  #values = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
  }

  value(): string | undefined {
    if (this.at >= this.#end) return "a value is cut off";
    const token = this.#bytes[this.at++] as number;
    this.wanted--;
    let failure: string | undefined;
    if (token < 0x80 || token >= 0xe0) failure = undefined; // a small integer
    else if (token < 0x90) failure = this.#open((token & 0x0f) * 2);
    else if (token < 0xa0) failure = this.#open(token & 0x0f);
    else if (token < 0xc0) failure = this.#skip(token & 0x1f);
    else failure = this.#marked(token);
    while (this.wanted === 0 && this.#outer.length > 0) this.wanted = this.#outer.pop() as number;
    return failure;
  }

  /** By what the byte begins, see `KINDS`. */
  #marked(token: number): string | undefined {
    const lengthBytes = LENGTH_BYTES[token - 0xc0] as number;
    switch (KINDS[token - 0xc0]) {
      case "-": // nil, true, false
        return undefined;
      case "f": // of a fixed length
        return this.#skip(lengthBytes);
      case "b": // bytes and text
        return this.#skip(this.#length(lengthBytes));
      case "a": // array
        return this.#open(this.#length(lengthBytes));
      case "m": // map
        return this.#open(this.#length(lengthBytes) * 2);
      default:
        return `byte 0x${token.toString(16)} begins no value`;
    }
  }

  /** Infinity where it is cut off: more than any bytes that are left. */
  #length(byteCount: number): number {
    if (byteCount > this.#end - this.at) return Infinity;
    let length = 0;
    for (let index = 0; index < byteCount; index++) {
      length = length * 256 + (this.#bytes[this.at++] as number);
    }
    return length;
  }

  #skip(byteCount: number): string | undefined {
    if (byteCount > this.#end - this.at) return "a value is cut off";
    this.at += byteCount;
    return undefined;
  }

  #open(count: number): string | undefined {
    if (count > this.#end - this.at) return "a list is longer than its bytes";
    this.#values += count;
    if (this.#values > VALUES_MAX) return `there are more than ${VALUES_MAX} values`;
    if (count === 0) return undefined;
    this.#outer.push(this.wanted);
    this.wanted = count;
    return this.#outer.length > DEPTH_MAX ? `it is deeper than ${DEPTH_MAX}` : undefined;
  }
}
