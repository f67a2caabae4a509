/**
 * Committed metadata of a node without a vote: pulled from any controller, kept in memory only.
 *
 *     ask for batches (long poll) ─┬─► batches: check, apply, ask again
 *             ▲                    ├─► snapshot: fetch it, check it, load it, ask again
 *             └── pause, longer ◄──┴─► an error, or nobody there
 *
 * What does not check out is not applied; the controller is asked again. A record that this version
 * does not understand ends the node: it must not serve a state that it does not know.
 */
import { ErrorCode, errorName } from "../../api/error_code.ts";
import type { MetadataFetchResponse } from "../../api/own/metadata_fetch.ts";
import type { Clock, Timer } from "../../env/clock.ts";
import type { Random } from "../../env/random.ts";
import type { Trace } from "../../env/trace.ts";
import { concat } from "../../ground/concat.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import type { Uuid } from "../../ground/uuid.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { Configuration } from "../../raft/configuration.ts";
import type { SnapshotId } from "../../raft/entry.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import { entriesIn } from "./append_check.ts";
import { AppliedImage } from "./applied_image.ts";
import { KnownLeader } from "./known_leader.ts";
import type { MetadataSource } from "./metadata_source.ts";
import type { OpenMetadata, ReplaceListener, ReplayListener } from "./metadata_view.ts";
import { MetadataCorrupt } from "./not_controller.ts";
import { snapshotFileName } from "./snapshot_file.ts";
import { loadSnapshotBytes } from "./snapshot_store.ts";

export interface MetadataFollowerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly crc32c: Crc32c;
  readonly source: MetadataSource;
  readonly nodeId: number;
  readonly incarnationId: Uuid;
  /** What it feeds, where another part of the node owns that; one of its own where left out. */
  readonly state?: AppliedImage;
  /** How long a poll waits for something new. */
  readonly waitMs?: number;
  /** What is committed cannot be understood. The follower has stopped. */
  onCorrupt(fault: MetadataCorrupt): void;
}

const WAIT_MS = 5000;
const BYTES_MAX = 8 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const SNAPSHOT_BYTES_MAX = 1024 ** 3;
const AGAIN_MS_MIN = 20;
const AGAIN_MS_MAX = 1000;
const TELL_MS = 60_000;
/** A snapshot that is refused so often in a row is not loaded by a miracle. */
const CHUNK_TRIES_MAX = 5;

/** An answer that does not hold what it says: it is asked for again. */
class BadAnswer extends Error {
  override readonly name = "BadAnswer";
}

export class MetadataFollower implements OpenMetadata {
  readonly #options: MetadataFollowerOptions;
  readonly #state: AppliedImage;
  readonly #leaderListeners: (() => void)[] = [];
  readonly #leader = new KnownLeader();
  #failures = 0;
  #toldMs = -Infinity;
  #isStarted = false;
  #isStopped = false;
  #isCaughtUp = false;
  #onCaughtUp: (() => void)[] = [];
  #timer: Timer | undefined;
  #wake: () => void = () => undefined;

  constructor(options: MetadataFollowerOptions) {
    this.#options = options;
    this.#state = options.state ?? new AppliedImage(options.clock);
  }

  get image(): ClusterImage {
    return this.#state.image;
  }

  get appliedOffset(): Offset {
    return this.#state.appliedOffset;
  }

  onReplayed(listener: ReplayListener): void {
    this.#state.onReplayed(listener);
  }

  onImageReplaced(listener: ReplaceListener): void {
    this.#state.onImageReplaced(listener);
  }

  whenApplied(offset: Offset, timeoutMs: number): Promise<boolean> {
    return this.#state.whenApplied(offset, timeoutMs);
  }

  /** Who leads the quorum, as controllers told in their answers. */
  leader(): { readonly id: number; readonly term: number } | undefined {
    const { leaderId, term } = this.#leader;
    return leaderId === undefined ? undefined : { id: leaderId, term };
  }

  /** Who votes, by what has come; undefined while nothing has said it. */
  get configuration(): Configuration | undefined {
    return this.#state.configuration;
  }

  onLeader(listener: () => void): void {
    this.#leaderListeners.push(listener);
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    void this.#run();
  }

  /** Resolves when the image holds all that a controller knew to be committed; also at the stop. */
  caughtUp(): Promise<void> {
    if (this.#isCaughtUp || this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => this.#onCaughtUp.push(resolve));
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#wake();
    if (this.#options.state === undefined) this.#state.close();
    for (const resolve of this.#onCaughtUp.splice(0)) resolve();
  }

  /** A poll under way is not waited for: nothing of its answer is taken. */
  close(): Promise<void> {
    this.stop();
    return Promise.resolve();
  }

  abandon(): void {
    this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        // deno-lint-ignore no-await-in-loop -- one answer after the other
        await this.#fetch();
        this.#failures = 0;
      } catch (error) {
        if (this.#isStopped) return;
        if (error instanceof MetadataCorrupt) {
          this.stop();
          this.#options.onCorrupt(error);
          return;
        }
        // deno-lint-ignore no-await-in-loop
        await this.#pause(error);
      }
    }
  }

  async #fetch(): Promise<void> {
    const { source, nodeId, incarnationId, waitMs = WAIT_MS } = this.#options;
    const offset = this.#state.appliedOffset;
    const answer = await source.fetch({
      offset,
      lastTerm: this.#state.lastTerm,
      bytesMax: BYTES_MAX,
      waitMs: this.#isCaughtUp ? waitMs : 0,
      nodeId,
      incarnationId,
    });
    if (this.#isStopped) return;
    if (answer.errorCode !== ErrorCode.None) {
      throw new BadAnswer(errorName(answer.errorCode as ErrorCode));
    }
    this.#noteLeader(answer);
    if (answer.snapshot !== undefined) await this.#load(answer.snapshot);
    else if (answer.records !== undefined) await this.#apply(answer.records, offset);
    if (this.#isStopped) return;
    const { appliedOffset } = this.#state;
    if (appliedOffset >= answer.commitOffset) this.#becomeCaughtUp();
    // An answer without anything before its time would be asked for again at once, for ever.
    else if (appliedOffset === offset) throw new BadAnswer("an answer without what it names");
  }

  async #apply(records: Uint8Array, offset: Offset): Promise<void> {
    const { crc32c } = this.#options;
    const entries = entriesIn(records, offset, crc32c);
    if (typeof entries === "string") throw new BadAnswer(entries);
    const walk = new BatchWalk(records);
    while (walk.next() && !this.#isStopped) {
      // deno-lint-ignore no-await-in-loop -- one batch after the other is the point
      await this.#state.apply(walk.batch);
    }
  }

  /** A snapshot behind the image is news; any other would take it back. */
  async #load(id: SnapshotId): Promise<void> {
    if (id.offset <= this.#state.appliedOffset) {
      throw new BadAnswer(`snapshot ${snapshotFileName(id)} is older than the image`);
    }
    const bytes = await this.#fetchSnapshot(id);
    if (this.#isStopped) return;
    const source = {
      bytes: bytes.length,
      read: (position: number, length: number) =>
        Promise.resolve(bytes.subarray(position, position + length)),
    };
    const loaded = await loadSnapshotBytes(source, id, this.#options.crc32c).catch((error) => {
      throw error instanceof MetadataCorrupt ? new BadAnswer(error.message) : error;
    });
    await this.#state.replace(loaded);
  }

  async #fetchSnapshot(id: SnapshotId): Promise<Uint8Array> {
    const { source, crc32c } = this.#options;
    const pieces: Uint8Array[] = [];
    let position = 0;
    let totalBytes: number | undefined;
    for (let tries = 0; position !== totalBytes && !this.#isStopped;) {
      const request = { snapshot: id, position, bytesMax: CHUNK_BYTES };
      // deno-lint-ignore no-await-in-loop -- one piece behind the other
      const chunk = await source.fetchSnapshot(request).catch(() => undefined);
      if (chunk === undefined) {
        if (++tries === CHUNK_TRIES_MAX) throw new BadAnswer("no answer to a snapshot's piece");
        continue;
      }
      const { errorCode, bytes } = chunk;
      if (errorCode !== ErrorCode.None) throw new BadAnswer(errorName(errorCode as ErrorCode));
      totalBytes ??= chunk.totalBytes;
      const isFit = bytes.length > 0 && chunk.totalBytes === totalBytes &&
        totalBytes <= SNAPSHOT_BYTES_MAX && position + bytes.length <= totalBytes &&
        chunk.crc32c === crc32c(bytes);
      if (!isFit) throw new BadAnswer(`a piece of ${snapshotFileName(id)} is not what it says`);
      tries = 0;
      pieces.push(bytes);
      position += bytes.length;
    }
    return concat(pieces);
  }

  #noteLeader({ leaderId, term }: MetadataFetchResponse): void {
    if (leaderId === undefined) return;
    const isNews = this.#leader.hear(leaderId, term, this.#options.clock.monotonicMs());
    if (isNews) { for (const listener of this.#leaderListeners) listener(); }
  }

  #becomeCaughtUp(): void {
    this.#isCaughtUp = true;
    for (const resolve of this.#onCaughtUp.splice(0)) resolve();
  }

  #pause(error: unknown): Promise<void> {
    const { clock, random, trace } = this.#options;
    const now = clock.monotonicMs();
    if (now - this.#toldMs >= TELL_MS) {
      this.#toldMs = now;
      const reason = error instanceof Error ? error.message : String(error);
      trace.event("warn", "metadata cannot be followed", { reason });
    }
    const most = Math.min(AGAIN_MS_MIN * 2 ** Math.min(this.#failures++, 10), AGAIN_MS_MAX);
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = clock.after(most / 2 + random.below(Math.ceil(most / 2)), resolve);
    });
  }
}
