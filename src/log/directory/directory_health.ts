/**
 * How a log directory is: the state machine of `directory_state.ts`, fed by faults and by measuring.
 *
 * Free space is asked for once in so many appended bytes and once in so many milliseconds, whichever
 * comes first, and only where something is appended; in between an append costs one compare. A full
 * directory is asked again and again until it has room. With each measuring it is seen whether the
 * directory is still there: files that were unlinked under a running broker take writes and syncs
 * without a complaint.
 * Not here: what is done about a state (`runtime/log_manager.ts`).
 */
import type { Clock, Timer } from "../../env/clock.ts";
import { type Disk, DiskFault, isPassing } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import { IDENTITY_FILE } from "./directory_identity.ts";
import {
  type DirectoryInput,
  type DirectoryState,
  nextDirectoryState,
  ONLINE,
  reserveBytesOf,
} from "./directory_state.ts";

/** Free space is asked for when so many bytes were appended, or this time has passed since. */
const MEASURE_BYTES = 8 * 1024 * 1024;
const MEASURE_MS = 500;

export interface DirectoryHealthOptions {
  readonly path: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly trace: Trace;
  /** `mq.disk.reserve.bytes`. */
  readonly reserveBytes: number;
}

export class DirectoryHealth {
  /** As measured last. */
  freeBytes = 0;
  readonly #options: DirectoryHealthOptions;
  #state: DirectoryState = ONLINE;
  #onOffline: (fault: DiskFault) => void = () => undefined;
  #onNoRoom: () => void = () => undefined;
  /** Bytes that may be appended before free space is asked for; below 0 it is asked at once. */
  #allowanceBytes = 0;
  /** Undefined before the first measuring. */
  #reserveBytes: number | undefined;
  #timer: Timer | undefined;

  constructor(options: DirectoryHealthOptions) {
    this.#options = options;
  }

  get state(): DirectoryState {
    return this.#state;
  }

  get isOnline(): boolean {
    return this.#state.kind !== "offline";
  }

  /** Hears once, when the directory has gone offline. */
  onOffline(listener: (fault: DiskFault) => void): void {
    this.#onOffline = listener;
  }

  /** Hears when the directory has become full, and whenever a write has found no room. */
  onNoRoom(listener: () => void): void {
    this.#onNoRoom = listener;
  }

  /** Whether so many bytes may be appended: undefined, or why not. Hot. */
  admit(bytes: number): string | undefined {
    this.#allowanceBytes -= bytes;
    return this.#allowanceBytes >= 0 ? undefined : this.#admitSlowly(bytes);
  }

  /** Asks for free space now, and whether the directory is there at all. */
  measure(wantedBytes = 0): void {
    if (!this.isOnline) return;
    const { disk, path, reserveBytes } = this.#options;
    try {
      const identity = `${path}/${IDENTITY_FILE}`;
      if (disk.info(identity) === undefined) {
        throw new DiskFault("not-found", path, `Cannot use ${path}: its files are gone`);
      }
      this.freeBytes = disk.freeBytes(path);
      // A file system that is full may be given more room.
      if (this.#reserveBytes === undefined || this.#state.kind === "full") {
        this.#reserveBytes = reserveBytesOf(reserveBytes, disk.totalBytes(path));
      }
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      if (!isPassing(error)) this.#fail(error);
      return;
    }
    this.#step({
      kind: "measured",
      freeBytes: this.freeBytes,
      reserveBytes: this.#reserveBytes,
      wantedBytes,
    });
    this.#allowanceBytes = 0;
    if (this.#state.kind === "full") this.#measureLater();
  }

  /**
   * What a disk has answered with. One that could not read what it was asked for is that file's matter,
   * one that is full or has no handles is measured; whatever else there is ends the directory.
   */
  onFault(fault: DiskFault): void {
    if (isPassing(fault)) {
      this.measure();
      // A quota, or a reserve of 0: what is measured says nothing of it.
      if (fault.kind === "no-space" && this.#state.kind === "online") this.#onNoRoom();
    } else if (fault.kind !== "unreadable") this.#fail(fault);
  }

  /** Nothing is measured any more. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** Why nothing may be appended; undefined where something may. */
  get refusal(): string | undefined {
    const state = this.#state;
    if (state.kind === "online") return undefined;
    const { path } = this.#options;
    if (state.kind === "offline") return `log directory ${path} is offline: ${state.reason}`;
    const why = this.#reserveBytes === 0 ? "" : " (mq.disk.reserve.bytes)";
    return `log directory ${path} is full: ${inMebibytes(state.freeBytes)} are free, ` +
      `${inMebibytes(state.neededBytes)} are needed${why}`;
  }

  #admitSlowly(bytes: number): string | undefined {
    // A full one is measured by the timer: who is refused a thousand times a second costs nothing.
    if (this.#state.kind === "online") {
      this.measure(bytes);
      if (this.#state.kind === "online") {
        const room = this.freeBytes - (this.#reserveBytes ?? 0);
        this.#allowanceBytes = Math.min(room, MEASURE_BYTES) - bytes;
        this.#measureLater();
      }
    }
    return this.refusal;
  }

  #measureLater(): void {
    this.#timer ??= this.#options.clock.after(MEASURE_MS, () => {
      this.#timer = undefined;
      if (this.#state.kind === "full") this.measure();
      else this.#allowanceBytes = 0; // the next append measures
    });
  }

  #fail(fault: DiskFault): void {
    if (!this.isOnline) return;
    this.#step({ kind: "failed", reason: fault.message });
    this.#allowanceBytes = -1;
    this.stop();
    this.#onOffline(fault);
  }

  #step(input: DirectoryInput): void {
    const before = this.#state.kind;
    this.#state = nextDirectoryState(this.#state, input);
    if (this.#state.kind === before) return;
    this.#tell(this.#state);
    if (this.#state.kind === "full") this.#onNoRoom();
  }

  #tell(state: DirectoryState): void {
    const { trace, path } = this.#options;
    switch (state.kind) {
      case "online":
        return trace.event("info", "log directory has room again", {
          path,
          freeBytes: this.freeBytes,
        });
      case "full":
        return trace.event("error", "log directory is full", {
          path,
          freeBytes: state.freeBytes,
          neededBytes: state.neededBytes,
        });
      case "offline":
        return trace.event("error", "log directory is offline", { path, error: state.reason });
    }
  }
}

function inMebibytes(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(1)} MiB`;
}
