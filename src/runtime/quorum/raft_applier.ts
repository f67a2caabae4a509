/**
 * Brings committed batches from the log into the image, loads installed snapshots, takes own ones: one
 * after the other, so that the image stands still while it is encoded.
 *
 * What cannot be read for want of handles is read again: it is committed, and somebody waits for it.
 *
 * The image may be ahead of this log, where it was fed from elsewhere while this node had no vote: then
 * the log is only read until it has come so far, and no snapshot is taken before.
 */
import type { Clock } from "../../env/clock.ts";
import { DiskFault, isPassing } from "../../env/disk.ts";
import type { Trace } from "../../env/trace.ts";
import type { Offset } from "../../ground/numbers.ts";
import { snapshotRecords } from "../../metadata/snapshot.ts";
import type { Configuration } from "../../raft/configuration.ts";
import type { SnapshotId } from "../../raft/entry.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import type { AppliedImage } from "./applied_image.ts";
import { MetadataCorrupt } from "./not_controller.ts";
import type { Proposals } from "./proposals.ts";
import { entryOf, newCursor } from "./quorum_batches.ts";
import type { RaftStorage } from "./raft_storage.ts";
import type { LoadedSnapshot } from "./snapshot_store.ts";
import { type SnapshotLimits, SnapshotTaker } from "./snapshot_taker.ts";

export interface RaftApplierOptions {
  readonly storage: RaftStorage;
  readonly state: AppliedImage;
  readonly proposals: Proposals;
  readonly bootstrap: Configuration;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly limits: SnapshotLimits;
  /** Nothing is being cut or replaced: a segment may begin. */
  mayRoll(): boolean;
  onApplied(offset: Offset): void;
  /** See `SnapshotTaker`. */
  onTaken(older: SnapshotId): void;
  /** The log cannot be read now; it is tried again. */
  onNoRoom(fault: DiskFault): void;
  onFault(fault: unknown): void;
}

const READ_BYTES = 1024 * 1024;
const AGAIN_MS = 100;

export class RaftApplier {
  readonly #options: RaftApplierOptions;
  readonly #taker: SnapshotTaker;
  readonly #cursor = newCursor();
  readonly #listeners = new Set<() => void>();
  #committedUpTo: Offset;
  /** Up to here the log was read; the image has that, and perhaps more. */
  #position: Offset;
  /** Up to here the machine has handed out what is committed; it hears when that is applied. */
  #issuedUpTo: Offset;
  #toldUpTo: Offset;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #toInstall: LoadedSnapshot | undefined;
  /** In force at the end of what was applied. */
  #configuration: Configuration;
  /** Of the last batch that was applied. */
  #term: number;
  #timestamp = 0;
  #isStopped = false;
  #endPause: () => void = () => undefined;

  constructor(options: RaftApplierOptions) {
    this.#options = options;
    const { snapshot } = options.storage.found;
    const { appliedOffset } = options.state;
    this.#committedUpTo = appliedOffset;
    this.#position = appliedOffset;
    this.#issuedUpTo = appliedOffset;
    this.#toldUpTo = appliedOffset;
    this.#configuration = snapshot?.configuration ?? options.bootstrap;
    this.#term = snapshot?.id.term ?? 0;
    this.#taker = new SnapshotTaker({ ...options, onDue: () => this.#run() });
  }

  /** Everything below is committed, and durable here. */
  get committedUpTo(): Offset {
    return this.#committedUpTo;
  }

  /** See `SnapshotTaker`. */
  get snapshotTakenMs(): number | undefined {
    return this.#taker.takenMs;
  }

  /** Hears when more is committed, or nothing will be any more; the result ends it. */
  onCommitted(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Applies the whole log before the machine begins. Only where this node votes alone: what is durable
   * here is committed then, and what cannot be understood is found before anything is written.
   */
  async preload(): Promise<void> {
    this.#committedUpTo = this.#options.storage.logEndOffset;
    // deno-lint-ignore no-await-in-loop -- each read starts where the last one ended
    while (this.#position < this.#committedUpTo) await this.#applySome();
  }

  commit(upTo: Offset): void {
    this.#issuedUpTo = upTo;
    this.#committedUpTo = Math.max(this.#committedUpTo, upTo) as Offset;
    this.#tell();
    this.#run();
  }

  /** The snapshot takes the place of the log and of the state. */
  install(snapshot: LoadedSnapshot): void {
    this.#toInstall = snapshot;
    this.commit(snapshot.id.offset);
  }

  stop(): void {
    this.#isStopped = true;
    this.#endPause();
    this.#taker.abandon();
    this.#tell();
  }

  /** After `stop`: what is under way has ended. */
  async ended(): Promise<void> {
    await this.#running.catch(() => undefined); // its owner has heard of it
    await this.#taker.stop();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * One loop at a time. The flag is taken back in the very step in which the loop finds nothing left:
   *
   *     1. the loop has applied all that is committed, and ends; its promise settles a turn later
   *     2. in between more is committed, and this is called
   *
   * Were "is it running" asked of the promise, nobody would apply what came at 2.
   */
  #run(): void {
    if (this.#isStopped || this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#applyAll();
    this.#running.catch((fault: unknown) => this.#options.onFault(fault));
  }

  async #applyAll(): Promise<void> {
    try {
      // deno-lint-ignore no-await-in-loop -- one after the other is the point
      while (this.#hasWork()) await this.#applyNext();
    } finally {
      this.#isRunning = false;
    }
  }

  #hasWork(): boolean {
    if (this.#isStopped) return false;
    return this.#toInstall !== undefined || this.#mayTake() ||
      this.#position < this.#committedUpTo || this.#toldUpTo < this.#issuedUpTo;
  }

  /** A snapshot of a state that is ahead would not be what its name says. */
  #mayTake(): boolean {
    return this.#taker.isDue && this.#position === this.#options.state.appliedOffset;
  }

  async #applyNext(): Promise<void> {
    const snapshot = this.#toInstall;
    if (snapshot !== undefined) await this.#load(snapshot);
    else if (this.#mayTake()) await this.#options.state.whileStill(() => this.#take());
    else if (this.#position < this.#committedUpTo) await this.#applySome();
    this.#report();
  }

  #report(): void {
    const { onApplied } = this.#options;
    const offset = Math.min(this.#position, this.#issuedUpTo) as Offset;
    if (offset <= this.#toldUpTo || this.#isStopped) return;
    this.#toldUpTo = offset;
    onApplied(offset);
  }

  async #applySome(): Promise<void> {
    const bytes = await this.#readSome();
    if (bytes === undefined || this.#isInstalling()) return;
    const { state, proposals } = this.#options;
    const walk = new BatchWalk(bytes);
    while (walk.next() && !this.#isStopped) {
      const { batch } = walk;
      if (batch.baseOffset() !== this.#position) throw this.#missing();
      if (batch.isControl()) {
        this.#configuration = entryOf(batch, this.#cursor).configuration ?? this.#configuration;
      }
      proposals.onCommitted(batch.baseOffset(), batch.partitionLeaderEpoch());
      // deno-lint-ignore no-await-in-loop -- one after the other is the point
      await state.apply(batch);
      this.#position = batch.nextOffset() as Offset;
      this.#term = batch.partitionLeaderEpoch();
      this.#timestamp = batch.maxTimestamp();
      this.#taker.note(batch);
      proposals.onApplied(batch.baseOffset(), batch.nextOffset(), this.#term);
    }
  }

  /**
   * Undefined where a snapshot was installed meanwhile, for which the log was taken away, and where it is
   * to be tried again. Before the machine begins it is not: then the start is refused, and says why.
   */
  async #readSome(): Promise<Uint8Array | undefined> {
    const { storage } = this.#options;
    try {
      const bytes = await storage.read(this.#position, this.#committedUpTo, READ_BYTES);
      if (bytes === undefined && !this.#isInstalling()) throw this.#missing();
      return bytes;
    } catch (fault) {
      if (this.#isInstalling()) return undefined;
      if (!(this.#isRunning && fault instanceof DiskFault && isPassing(fault))) throw fault;
      this.#options.onNoRoom(fault);
      await this.#pause();
      return undefined;
    }
  }

  /** Ends early at the stop. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(AGAIN_MS, resolve);
      this.#endPause = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #isInstalling(): boolean {
    return this.#toInstall !== undefined || this.#isStopped;
  }

  #missing(): MetadataCorrupt {
    return new MetadataCorrupt(`Cannot read metadata at offset ${this.#position}: it is not there`);
  }

  async #take(): Promise<void> {
    const { state, storage, mayRoll } = this.#options;
    if (!this.#mayTake()) return; // somebody else's batch was under way
    if (mayRoll()) storage.roll();
    await this.#taker.take({
      id: { offset: this.#position, term: this.#term },
      configuration: this.#configuration,
      timestamp: this.#timestamp,
      records: snapshotRecords(state.image),
    });
  }

  async #load(snapshot: LoadedSnapshot): Promise<void> {
    const { state, proposals } = this.#options;
    const { id, configuration } = snapshot;
    await state.replace(snapshot);
    this.#position = id.offset;
    this.#configuration = configuration;
    this.#term = id.term;
    if (this.#toInstall === snapshot) this.#toInstall = undefined;
    proposals.onReplaced(id.offset);
    this.#taker.reset();
  }
}
