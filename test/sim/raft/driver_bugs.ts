/**
 * Planted bugs of the driver: what is not written, leaves too soon, or was called durable and is not.
 *
 * `old-disk-restored` is no bug of anybody's code but of an operator: a copy of the disk from an earlier stop
 * comes back under the same directory id, and with it a replica that has forgotten votes and
 * acknowledgements. Raft cannot survive that; the simulation shows that it notices.
 */
import type { Prng } from "../../../src/ground/prng.ts";
import type { HardState, Outgoing } from "../../../src/raft/ready.ts";
import type { SimDisk } from "./sim_disk.ts";

export class DriverBugs {
  readonly #planted: ReadonlySet<string>;
  #oldCopy: SimDisk | undefined;

  constructor(planted: ReadonlySet<string>) {
    this.#planted = planted;
  }

  has(name: string): boolean {
    return this.#planted.size > 0 && this.#planted.has(name);
  }

  /** What is written of a term and vote. */
  written(hardState: HardState | undefined): HardState | undefined {
    if (hardState === undefined || this.has("term-not-written")) return undefined;
    return this.has("vote-not-written") ? { term: hardState.term } : hardState;
  }

  /** A message that waits for the disk leaves at once. */
  leavesEarly({ kind }: Outgoing): boolean {
    return (kind === "VoteReply" && this.has("vote-reply-before-sync")) ||
      (kind === "VoteRequest" && this.has("vote-request-before-sync")) ||
      (kind === "AppendReply" && this.has("append-reply-before-sync"));
  }

  /** The disk that the start after a crash finds. */
  afterCrash(disk: SimDisk, random: Prng): SimDisk {
    if (this.has("vote-directory-not-synced") && random.oneIn(2)) {
      disk.hardState = disk.hardStateBefore;
    }
    if (this.has("snapshot-directory-not-synced") && random.oneIn(2)) disk.snapshots.pop();
    return this.has("old-disk-restored") ? this.#restored(disk, random) : disk;
  }

  #restored(disk: SimDisk, random: Prng): SimDisk {
    const copy = this.#oldCopy;
    const isUsed = copy !== undefined && random.oneIn(4);
    if (isUsed || random.oneIn(2)) this.#oldCopy = disk.copy();
    return isUsed ? copy : disk;
  }

  /** Copies of another disk are of no use. */
  forget(): void {
    this.#oldCopy = undefined;
  }
}
