/**
 * Loads one of the native modules at the moment it is wanted, or says that it is not there.
 *
 * The names stand in literal `require` calls, since that is what `bun build --compile` follows to put
 * the `.node` file of the build's platform into the binary; a build for another platform holds none,
 * and then the caller's TypeScript takes over. Deno knows no bare `require`, so there one is made.
 * Loading takes some milliseconds, which a program that compresses nothing does not pay.
 */
import { createRequire } from "node:module";

export interface NativeModules {
  "@node-rs/crc32": { crc32c(bytes: Uint8Array, seed?: number): number };
  "lz4-napi": {
    compressFrameSync(bytes: Uint8Array): Uint8Array;
    decompressFrameSync(bytes: Uint8Array): Uint8Array;
  };
}

/** Undefined where the module does not load here. */
export function loadNative<Name extends keyof NativeModules>(
  name: Name,
): NativeModules[Name] | undefined {
  try {
    return (typeof require === "function"
      ? requireBundled(name)
      : createRequire(import.meta.url)(name)) as NativeModules[Name];
  } catch {
    return undefined; // another platform: why does not matter, there is a fallback
  }
}

function requireBundled(name: keyof NativeModules): unknown {
  return name === "lz4-napi" ? require("lz4-napi") : require("@node-rs/crc32");
}
