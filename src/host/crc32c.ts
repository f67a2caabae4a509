/** CRC-32C by the processor's own instruction where the native module loads, else by tables. */
import { type Crc32c, crc32cTables } from "../ground/crc32c.ts";
import { loadNative } from "./native_module.ts";

export interface LoadedCrc32c {
  readonly crc32c: Crc32c;
  readonly implementation: "native" | "typescript";
}

/** What is loaded answers "123456789" rightly, or it is not taken (CRC catalogue: e3069283). */
export function loadCrc32c(): LoadedCrc32c {
  const native = loadNative("@node-rs/crc32");
  if (native === undefined || !isSound(native.crc32c)) {
    return { crc32c: crc32cTables, implementation: "typescript" };
  }
  return { crc32c: native.crc32c, implementation: "native" };
}

function isSound(crc32c: Crc32c): boolean {
  const digits = Uint8Array.from("123456789", (digit) => digit.charCodeAt(0));
  return crc32c(digits) === 0xe3069283 &&
    crc32c(digits.subarray(4), crc32c(digits.subarray(0, 4))) === 0xe3069283;
}
