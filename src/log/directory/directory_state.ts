/**
 * What a log directory may be, and what makes it change: a machine without time and without a disk.
 *
 *              measured: too little room
 *      online ───────────────────────────► full
 *        │  ◄───────────────────────────────  │
 *        │     measured: enough, and some     │
 *        │                                    │
 *        └────────────► offline ◄─────────────┘
 *            failed               failed
 *
 * Offline is the end: a disk whose write or sync has failed holds nobody knows what (fsyncgate), and
 * only the recovery of a new start finds out. Full is not broken: everything is read as before.
 */

export type DirectoryState =
  | { readonly kind: "online" }
  | {
    readonly kind: "full";
    /** As they were measured last. */
    readonly freeBytes: number;
    /** Once so many are free, batches are taken again. */
    readonly neededBytes: number;
  }
  | { readonly kind: "offline"; readonly reason: string };

export type DirectoryInput =
  | {
    readonly kind: "measured";
    readonly freeBytes: number;
    /** To stay free for retention, compaction and metadata. */
    readonly reserveBytes: number;
    /** Of what is to be appended now; 0 where nothing is. */
    readonly wantedBytes: number;
  }
  | { readonly kind: "failed"; readonly reason: string };

/** A directory that got full takes batches again when this part of the reserve is free beyond it. */
const RESUME_PART = 1 / 8;
/** A reserve may take this part of a file system at most: a small one must be of use as well. */
const RESERVE_PART = 1 / 16;

export const ONLINE: DirectoryState = { kind: "online" };

/** The next state; the present one itself where nothing changes. */
export function nextDirectoryState(present: DirectoryState, input: DirectoryInput): DirectoryState {
  if (present.kind === "offline") return present;
  if (input.kind === "failed") return { kind: "offline", reason: input.reason };
  const { freeBytes, reserveBytes, wantedBytes } = input;
  const margin = Math.max(Math.ceil(reserveBytes * RESUME_PART), wantedBytes);
  if (present.kind === "online") {
    if (freeBytes >= reserveBytes + wantedBytes) return present;
    return { kind: "full", freeBytes, neededBytes: reserveBytes + margin };
  }
  // Whoever was refused wants at least what was wanted then: no flapping between small and large.
  const neededBytes = Math.max(present.neededBytes, reserveBytes + margin);
  if (freeBytes >= neededBytes) return ONLINE;
  const isSame = freeBytes === present.freeBytes && neededBytes === present.neededBytes;
  return isSame ? present : { kind: "full", freeBytes, neededBytes };
}

/** The reserve in force: what is set, but no more than a sixteenth of the file system. */
export function reserveBytesOf(settingBytes: number, totalBytes: number): number {
  return Math.min(settingBytes, Math.floor(totalBytes * RESERVE_PART));
}
