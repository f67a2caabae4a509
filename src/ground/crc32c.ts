/**
 * CRC-32C (Castagnoli), the checksum of record batch v2, in TypeScript: slicing by 16.
 *
 * `host/` prefers a native one where it loads and hands down whichever it chose as a `Crc32c`; both
 * give the same answers (test/ground/crc32c_test.ts).
 */

/** The checksum of `bytes`, going on from `seed` (the checksum of what came before; 0 at the start). */
export type Crc32c = (bytes: Uint8Array, seed?: number) => number;

const POLYNOMIAL = 0x82f63b78; // reflected

function makeTables(): readonly Uint32Array[] {
  const tables = Array.from({ length: 16 }, () => new Uint32Array(256));
  const [first] = tables as [Uint32Array];
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc >>> 0;
  }
  for (let slice = 1; slice < 16; slice++) {
    const before = tables[slice - 1] as Uint32Array;
    const table = tables[slice] as Uint32Array;
    for (let byte = 0; byte < 256; byte++) {
      const crc = before[byte] as number;
      table[byte] = ((first[crc & 255] as number) ^ (crc >>> 8)) >>> 0;
    }
  }
  return tables;
}

type Sixteen = [
  ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array],
  ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array],
  ...[Uint32Array, Uint32Array],
];
let tables: Sixteen | undefined; // made at the first use: 16 KiB that a native CRC does not need

/** `Crc32c` in plain TypeScript. */
export function crc32cTables(b: Uint8Array, seed = 0): number {
  tables ??= makeTables() as Sixteen;
  const [t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15] = tables;
  const end = b.length;
  let c = ~seed;
  let i = 0;
  for (; i + 16 <= end; i += 16) {
    c = at(t15, (at(b, i) ^ c) & 255) ^ at(t14, (at(b, i + 1) ^ (c >>> 8)) & 255) ^
      at(t13, (at(b, i + 2) ^ (c >>> 16)) & 255) ^ at(t12, (at(b, i + 3) ^ (c >>> 24)) & 255) ^
      at(t11, at(b, i + 4)) ^ at(t10, at(b, i + 5)) ^ at(t9, at(b, i + 6)) ^
      at(t8, at(b, i + 7)) ^ at(t7, at(b, i + 8)) ^ at(t6, at(b, i + 9)) ^
      at(t5, at(b, i + 10)) ^ at(t4, at(b, i + 11)) ^ at(t3, at(b, i + 12)) ^
      at(t2, at(b, i + 13)) ^ at(t1, at(b, i + 14)) ^ at(t0, at(b, i + 15));
  }
  for (; i < end; i++) c = at(t0, (c ^ at(b, i)) & 255) ^ (c >>> 8);
  return ~c >>> 0;
}

function at(table: Uint8Array | Uint32Array, index: number): number {
  return table[index] as number;
}
