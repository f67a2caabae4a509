/**
 * The part of `@std/fs` that mq uses, with its names and signatures, over `node:fs/promises`.
 *
 * Stands for the real one on Bun and where JSR cannot be reached (see `fs.ts`, which alone imports
 * either). Only the options that are used exist.
 */
import { lstat, mkdir, opendir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join, resolve, sep } from "node:path";

export interface ExistsOptions {
  readonly isDirectory?: boolean;
  readonly isFile?: boolean;
}

export interface WalkOptions {
  readonly maxDepth?: number;
  readonly includeFiles?: boolean;
  readonly includeDirs?: boolean;
  /** Endings of file names that are given, such as ".log"; without it all are. */
  readonly exts?: readonly string[];
}

export interface WalkEntry {
  readonly path: string;
  readonly name: string;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
}

export interface MoveOptions {
  readonly overwrite?: boolean;
}

/** Whether there is something at the path, of the kind asked for. */
export async function exists(path: string, options: ExistsOptions = {}): Promise<boolean> {
  try {
    const found = await stat(path);
    if (options.isDirectory === true) return found.isDirectory();
    return options.isFile === true ? found.isFile() : true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Makes the directory and its parents; content where it is there. */
export async function ensureDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
}

/** Makes the directory, or removes all that is in it. */
export async function emptyDir(dir: string): Promise<void> {
  await ensureDir(dir);
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true });
}

/** Renames within a file system; refuses a target that is there unless it is to be overwritten. */
export async function move(src: string, dest: string, options: MoveOptions = {}): Promise<void> {
  const source = resolve(src);
  const target = resolve(dest);
  if (source === target) return;
  if (target.startsWith(source + sep)) {
    throw new Error(`Cannot move '${src}' to a subdirectory of itself, '${dest}'`);
  }
  if (await exists(dest)) {
    if (options.overwrite !== true) throw new Error(`Cannot move '${src}': '${dest}' exists`);
    await rm(dest, { recursive: true });
  }
  await rename(src, dest);
}

/** The root and everything below it, each directory before what is in it. Links are not followed. */
export async function* walk(
  root: string,
  options: WalkOptions = {},
): AsyncIterableIterator<WalkEntry> {
  const entry = await entryOf(root);
  const mayGive = entry.isDirectory ? options.includeDirs !== false : isWantedFile(entry, options);
  if (mayGive) yield entry;
  const depth = options.maxDepth ?? Infinity;
  if (!entry.isDirectory || depth < 1) return;
  for await (const child of await opendir(root)) {
    yield* walk(join(root, child.name), { ...options, maxDepth: depth - 1 });
  }
}

async function entryOf(path: string): Promise<WalkEntry> {
  const found = await lstat(path);
  return {
    path,
    name: basename(path),
    isFile: found.isFile(),
    isDirectory: found.isDirectory(),
    isSymlink: found.isSymbolicLink(),
  };
}

function isWantedFile(entry: WalkEntry, options: WalkOptions): boolean {
  if (options.includeFiles === false) return false;
  return options.exts === undefined || options.exts.some((ending) => entry.name.endsWith(ending));
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
