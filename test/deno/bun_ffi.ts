/**
 * Stands for `bun:ffi` where there is none (Deno): every load fails, so that the fallback is taken.
 *
 * It is not a bridge to `Deno.dlopen`: what needs foreign functions is tested under Bun, in files that
 * end in `_ffi_test.ts`.
 */

export const suffix = "so";

export function dlopen(library: string): never {
  throw new Error(`Cannot load ${library}: this runtime has no bun:ffi`);
}

export function ptr(): never {
  throw new Error("Cannot take a pointer: this runtime has no bun:ffi");
}
