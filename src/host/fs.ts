/**
 * The only file that imports `@std/fs`: walking, copying and emptying directories for tools and tests.
 *
 * `@std/fs` lives on JSR and calls `Deno.*`, so the name means three things. `deno.json` maps it to
 * JSR; on Bun `tsconfig.json` beside this file maps it to `std_fs.ts`, a small module with the same
 * names over `node:fs/promises`; the tests' import map (`test/deno/import_map.json`) maps it there too,
 * for machines that cannot reach JSR. The log's own files go through `env/disk.ts`, not through here.
 */
export { emptyDir, ensureDir, exists, move, walk } from "@std/fs";
