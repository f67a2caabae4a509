/**
 * sendfile(2) and mincore(2) through Bun's FFI: file to socket without a copy.
 *
 * Only on Bun, only with glibc; everywhere else `loadSendFile` gives undefined and the stream reads and
 * writes instead. The socket's descriptor is taken anew for each call and never kept, because after a
 * reset the same number may belong to another connection.
 *
 * sendfile blocks on pages that are not in memory, so it is called only for ranges that mincore
 * finds in the page cache.
 */

export interface SendFile {
  /** Bytes sent; 0 where the socket takes none now or has failed. */
  send(socketDescriptor: number, fileDescriptor: number, position: number, length: number): number;
  /** Whether every page of the range is in the page cache. */
  isResident(fileDescriptor: number, position: number, length: number): boolean;
}

interface Ffi {
  dlopen(
    path: string,
    symbols: Record<string, { args: readonly string[]; returns: string }>,
  ): { symbols: Record<string, (...args: readonly unknown[]) => number | bigint> };
}

interface Native {
  sendfile64(out: number, file: number, offset: BigInt64Array, count: number): bigint;
  mmap(addr: null, length: number, prot: number, flags: number, fd: number, at: number): number;
  munmap(address: number, length: number): number;
  mincore(address: number, length: number, vector: Uint8Array): number;
}

const PAGE_BYTES = 4096;
/** The longest range asked about at once. */
const RANGE_BYTES_MAX = 1 << 20;
const PROT_READ = 1;
const MAP_SHARED = 1;

let loaded: SendFile | undefined | "not yet" = "not yet";

/** Loads at the first call; undefined where the runtime or the system has no such thing. */
export async function loadSendFile(): Promise<SendFile | undefined> {
  if (loaded === "not yet") loaded = await load();
  return loaded;
}

async function load(): Promise<SendFile | undefined> {
  if (!("Bun" in globalThis)) return undefined;
  try {
    const name = "bun:ffi"; // not a literal: other runtimes would look for it when they check types
    const ffi = await import(name) as Ffi;
    const { symbols } = ffi.dlopen("libc.so.6", {
      sendfile64: { args: ["i32", "i32", "ptr", "u64"], returns: "i64" },
      mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "ptr" },
      munmap: { args: ["ptr", "u64"], returns: "i32" },
      mincore: { args: ["ptr", "u64", "ptr"], returns: "i32" },
    });
    return make(symbols as unknown as Native);
  } catch {
    return undefined; // no glibc: the copying path serves as well
  }
}

function make(native: Native): SendFile {
  const offset = new BigInt64Array(1);
  const pages = new Uint8Array(RANGE_BYTES_MAX / PAGE_BYTES + 2);
  return {
    send(socketDescriptor, fileDescriptor, position, length): number {
      offset[0] = BigInt(position);
      return Math.max(
        Number(native.sendfile64(socketDescriptor, fileDescriptor, offset, length)),
        0,
      );
    },
    isResident(fileDescriptor, position, length): boolean {
      const start = position - position % PAGE_BYTES;
      const bytes = Math.min(position - start + length, RANGE_BYTES_MAX);
      const address = native.mmap(null, bytes, PROT_READ, MAP_SHARED, fileDescriptor, start);
      // MAP_FAILED is -1, which comes as null, as a negative number or as 2^64 - 1.
      if (!address || address < 0 || address > Number.MAX_SAFE_INTEGER) return false;
      const pageCount = Math.ceil(bytes / PAGE_BYTES);
      const isKnown = native.mincore(address, bytes, pages) === 0;
      native.munmap(address, bytes);
      if (!isKnown) return false;
      for (let page = 0; page < pageCount; page++) {
        if (((pages[page] as number) & 1) === 0) return false;
      }
      return true;
    },
  };
}
