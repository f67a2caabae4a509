/**
 * XXH3, 64 bits, seed 0: the hash by which Kafka notices that the topics of a group have changed.
 *
 * In bigint, since every step is a product of 64 bits: some 10 MB/s, for a few kilobytes once per
 * change of a topic. Not for the data path.
 *
 * Source: xxHash, XXH3 specification (doc/xxhash_spec.md); checked against hash4j's answers.
 */
const MASK = (1n << 64n) - 1n;
const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME64_1 = 0x9e3779b185ebca87n;
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME64_3 = 0x165667b19e3779f9n;
const PRIME64_4 = 0x85ebca77c2b2ae63n;
const PRIME64_5 = 0x27d4eb2f165667c5n;
const AVALANCHE = 0x165667919e3779f9n;
const RRMXMX = 0x9fb21c651e98df25n;

const STRIPE_BYTES = 64;
const SECRET_STEP = 8;

/** The specification's default secret: 192 bytes. */
const SECRET_HEX = "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f" +
  "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c" +
  "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8" +
  "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364" +
  "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e" +
  "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e";

const SECRET = viewOf(
  Uint8Array.from(SECRET_HEX.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
);
const SECRET_BYTES = SECRET.byteLength;

/** The hash as the signed int64 that records carry. */
export function xxh3(bytes: Uint8Array): bigint {
  const view = viewOf(bytes);
  return BigInt.asIntN(64, hashOf(view, bytes.length));
}

function hashOf(view: DataView, length: number): bigint {
  if (length === 0) return xxh64Avalanche(secret(56) ^ secret(64));
  if (length <= 3) return upTo3(view, length);
  if (length <= 8) return upTo8(view, length);
  if (length <= 16) return upTo16(view, length);
  if (length <= 128) return upTo128(view, length);
  if (length <= 240) return upTo240(view, length);
  return long(view, length);
}

function upTo3(view: DataView, length: number): bigint {
  const first = view.getUint8(0);
  const middle = view.getUint8(length >> 1);
  const last = view.getUint8(length - 1);
  const combined = ((first << 16) | (middle << 24) | last | (length << 8)) >>> 0;
  const flip = BigInt((SECRET.getUint32(0, true) ^ SECRET.getUint32(4, true)) >>> 0);
  return xxh64Avalanche(BigInt(combined) ^ flip);
}

function upTo8(view: DataView, length: number): bigint {
  const first = BigInt(view.getUint32(0, true));
  const last = BigInt(view.getUint32(length - 4, true));
  const flip = secret(8) ^ secret(16);
  let hash = flip ^ (last + (first << 32n));
  hash ^= rotated(hash, 49n) ^ rotated(hash, 24n);
  hash = (hash * RRMXMX) & MASK;
  hash ^= (hash >> 35n) + BigInt(length);
  hash = (hash * RRMXMX) & MASK;
  return hash ^ (hash >> 28n);
}

function upTo16(view: DataView, length: number): bigint {
  const low = word(view, 0) ^ (secret(24) ^ secret(32));
  const high = word(view, length - 8) ^ (secret(40) ^ secret(48));
  const sum = BigInt(length) + byteSwapped(low) + high + folded(low, high);
  return avalanche(sum & MASK);
}

function upTo128(view: DataView, length: number): bigint {
  let hash = (BigInt(length) * PRIME64_1) & MASK;
  for (let pair = (length - 1) >> 5; pair >= 0; pair--) {
    hash += mixed(view, 16 * pair, 32 * pair);
    hash += mixed(view, length - 16 * (pair + 1), 32 * pair + 16);
  }
  return avalanche(hash & MASK);
}

function upTo240(view: DataView, length: number): bigint {
  let hash = (BigInt(length) * PRIME64_1) & MASK;
  const rounds = length >> 4;
  for (let round = 0; round < 8; round++) hash += mixed(view, 16 * round, 16 * round);
  hash = avalanche(hash & MASK);
  for (let round = 8; round < rounds; round++) {
    hash += mixed(view, 16 * round, 16 * (round - 8) + 3);
  }
  hash += mixed(view, length - 16, 136 - 17);
  return avalanche(hash & MASK);
}

function long(view: DataView, length: number): bigint {
  const lanes = [
    PRIME32_3,
    PRIME64_1,
    PRIME64_2,
    PRIME64_3,
    PRIME64_4,
    PRIME32_2,
    PRIME64_5,
    PRIME32_1,
  ];
  const stripesOfBlock = (SECRET_BYTES - STRIPE_BYTES) / SECRET_STEP;
  const blockBytes = STRIPE_BYTES * stripesOfBlock;
  const blocks = Math.floor((length - 1) / blockBytes);
  for (let block = 0; block < blocks; block++) {
    for (let stripe = 0; stripe < stripesOfBlock; stripe++) {
      accumulate(lanes, view, block * blockBytes + stripe * STRIPE_BYTES, stripe * SECRET_STEP);
    }
    scramble(lanes);
  }
  const stripes = Math.floor((length - 1 - blocks * blockBytes) / STRIPE_BYTES);
  for (let stripe = 0; stripe < stripes; stripe++) {
    accumulate(lanes, view, blocks * blockBytes + stripe * STRIPE_BYTES, stripe * SECRET_STEP);
  }
  accumulate(lanes, view, length - STRIPE_BYTES, SECRET_BYTES - STRIPE_BYTES - 7);
  let hash = (BigInt(length) * PRIME64_1) & MASK;
  for (let pair = 0; pair < 4; pair++) {
    const one = (lanes[2 * pair] as bigint) ^ secret(11 + 16 * pair);
    const other = (lanes[2 * pair + 1] as bigint) ^ secret(11 + 16 * pair + 8);
    hash += folded(one, other);
  }
  return avalanche(hash & MASK);
}

function accumulate(lanes: bigint[], view: DataView, at: number, secretAt: number): void {
  for (let lane = 0; lane < 8; lane++) {
    const value = word(view, at + 8 * lane);
    const keyed = value ^ secret(secretAt + 8 * lane);
    lanes[lane ^ 1] = ((lanes[lane ^ 1] as bigint) + value) & MASK;
    const product = (keyed & 0xffffffffn) * (keyed >> 32n);
    lanes[lane] = ((lanes[lane] as bigint) + product) & MASK;
  }
}

function scramble(lanes: bigint[]): void {
  for (let lane = 0; lane < 8; lane++) {
    const value = lanes[lane] as bigint;
    const keyed = value ^ (value >> 47n) ^ secret(SECRET_BYTES - STRIPE_BYTES + 8 * lane);
    lanes[lane] = (keyed * PRIME32_1) & MASK;
  }
}

function mixed(view: DataView, at: number, secretAt: number): bigint {
  return folded(word(view, at) ^ secret(secretAt), word(view, at + 8) ^ secret(secretAt + 8));
}

/** The two halves of the product of 128 bits, one over the other. */
function folded(one: bigint, other: bigint): bigint {
  const product = one * other;
  return (product & MASK) ^ (product >> 64n);
}

function avalanche(hash: bigint): bigint {
  const mixedHash = ((hash ^ (hash >> 37n)) * AVALANCHE) & MASK;
  return mixedHash ^ (mixedHash >> 32n);
}

function xxh64Avalanche(hash: bigint): bigint {
  let mixedHash = ((hash ^ (hash >> 33n)) * PRIME64_2) & MASK;
  mixedHash = ((mixedHash ^ (mixedHash >> 29n)) * PRIME64_3) & MASK;
  return mixedHash ^ (mixedHash >> 32n);
}

function rotated(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

function byteSwapped(value: bigint): bigint {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, value, true);
  return bytes.getBigUint64(0, false);
}

function word(view: DataView, at: number): bigint {
  return view.getBigUint64(at, true);
}

function secret(at: number): bigint {
  return SECRET.getBigUint64(at, true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
