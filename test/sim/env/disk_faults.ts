/** What is wrong with a disk, and how slow it is: set by the faults of a simulation. */
import { DiskFault, type DiskFaultKind } from "../../../src/env/disk.ts";
import type { Prng } from "../../../src/ground/prng.ts";

export type DiskCallKind =
  | "open"
  | "read"
  | "write"
  | "sync"
  | "syncDirectory"
  | "rename"
  | "remove"
  | "truncate"
  | "list"
  | "makeDirectory"
  | "lock"
  | "statfs";

/** How the disks of a world are. */
export interface DiskNature {
  readonly readUs: number;
  readonly syncUs: number;
  /** Whether a sync that fails drops what it covered, as Linux does, or leaves it to the next one. */
  readonly isDroppedByFailedSync: boolean;
}

/** What production code's syncs are worth; changed by planted bugs only. */
export interface DiskHonesty {
  isSyncHonest: boolean;
  isDirectorySyncHonest: boolean;
}

export class DiskFaults {
  /** The next call of the kind fails so. */
  readonly #next = new Map<DiskCallKind, DiskFaultKind>();
  /** Every write and every sync from now on: a disk that is gone, until it is exchanged. */
  isBroken = false;
  /** The same, and nobody exchanges it. */
  isLost = false;
  /** Syncs under way and to come end this much later. */
  stallUs = 0;
  /** The next write goes nowhere, or elsewhere in the file, once the cache is gone. */
  nextWrite: "lost" | "misdirected" | undefined;
  readonly honesty: DiskHonesty = { isSyncHonest: true, isDirectorySyncHonest: true };
  /** Calls until something happens in the middle of one; -1 for never. */
  callsLeft = -1;
  onCallsLeft: () => void = () => undefined;
  readonly nature: DiskNature;
  readonly chance: Prng;

  constructor(nature: DiskNature, chance: Prng) {
    this.nature = nature;
    this.chance = chance;
  }

  failNext(call: DiskCallKind, kind: DiskFaultKind): void {
    this.#next.set(call, kind);
  }

  heal(): void {
    this.#next.clear();
    this.isBroken = false;
    this.stallUs = 0;
    this.nextWrite = undefined;
    this.callsLeft = -1;
  }

  /** Throws the fault that this call has. */
  check(call: DiskCallKind, path: string): void {
    if (this.callsLeft > 0 && --this.callsLeft === 0) {
      this.callsLeft = -1;
      this.onCallsLeft();
    }
    const kind = this.#next.get(call) ??
      (this.isBroken || this.isLost ? brokenKind(call) : undefined);
    if (kind === undefined) return;
    this.#next.delete(call);
    throw new DiskFault(kind, path, `Cannot ${call} ${path}: simulated fault (${kind})`);
  }

  readDelayUs(bytes: number): number {
    const { nature, chance } = this;
    const isFar = chance.below(16) === 0;
    return (isFar ? 20 : 1) * (5 + chance.below(nature.readUs)) + bytes / 500;
  }

  syncDelayUs(): number {
    const { nature, chance } = this;
    const isLong = chance.below(32) === 0;
    return (isLong ? 10 : 1) * (nature.syncUs / 2 + chance.below(nature.syncUs)) + this.stallUs;
  }
}

function brokenKind(call: DiskCallKind): DiskFaultKind | undefined {
  switch (call) {
    case "write":
    case "sync":
    case "syncDirectory":
    case "rename":
    case "remove":
    case "truncate":
    case "makeDirectory":
      return "io";
    case "read":
      return "unreadable";
    default:
      return undefined;
  }
}
