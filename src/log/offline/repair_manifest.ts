/**
 * `repair.json` in a partition's `repair-<time>` folder: what a repair took out, and what went with it.
 *
 * It is for people and for the next examination, which does not complain again about offsets whose loss
 * somebody has accepted. Nothing relies on it.
 */
import type { Disk } from "../../env/disk.ts";
import { bytesOf, textOf } from "../../ground/text.ts";
import type { OffsetSpan } from "./finding.ts";
import { REPAIR_MANIFEST } from "./partition_files.ts";

/** A range of bytes that was cut out of a file, and the file in this folder that holds them now. */
export interface KeptBytes {
  readonly file: string;
  readonly position: number;
  readonly sizeInBytes: number;
  readonly keptAs: string;
  readonly reason: string;
}

export interface RepairManifest {
  readonly version: 0;
  readonly repairedAt: string;
  readonly lost: readonly OffsetSpan[];
  readonly cut: readonly KeptBytes[];
  /** Batches whose leader epoch was set right, by file and position. */
  readonly epochs: readonly {
    readonly file: string;
    readonly position: number;
    readonly was: number;
    readonly is: number;
  }[];
  /** Files that were moved here whole: they are made anew from the batches. */
  readonly moved: readonly string[];
}

export function encodeManifest(manifest: RepairManifest): Uint8Array {
  return bytesOf(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** The offsets whose loss earlier repairs have written down; a manifest that cannot be read says none. */
export function acceptedLosses(
  disk: Disk,
  path: string,
  folders: readonly string[],
): readonly OffsetSpan[] {
  return folders.flatMap((folder) => {
    const bytes = disk.readWhole(`${path}/${folder}/${REPAIR_MANIFEST}`);
    return bytes === undefined ? [] : lossesIn(bytes);
  });
}

function lossesIn(bytes: Uint8Array): readonly OffsetSpan[] {
  try {
    const { lost } = JSON.parse(textOf(bytes)) as { readonly lost?: unknown };
    return Array.isArray(lost) ? lost.filter(isSpan) : [];
  } catch {
    return []; // JSON.parse has no other way to say no
  }
}

function isSpan(value: unknown): value is OffsetSpan {
  const { from, until } = (value ?? {}) as { readonly from?: unknown; readonly until?: unknown };
  return Number.isSafeInteger(from) && Number.isSafeInteger(until);
}

/** Whether every offset of the span is in one of the others. */
export function isCovered(span: OffsetSpan, others: readonly OffsetSpan[]): boolean {
  let from = span.from;
  for (let more = true; more && from < span.until;) {
    const next = others.find((other) => other.from <= from && other.until > from);
    more = next !== undefined;
    from = next?.until ?? from;
  }
  return from >= span.until;
}
