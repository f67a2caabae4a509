/**
 * Serves committed metadata to nodes without a vote: batches by long poll, snapshots in pieces.
 *
 * Every voter serves what it knows to be committed, whoever leads. A follower whose place is below the
 * log, or who has nothing while there is a snapshot, is told to fetch that.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { MetadataFetchRequest, MetadataFetchResponse } from "../../api/own/metadata_fetch.ts";
import type { SnapshotFetchRequest, SnapshotFetchResponse } from "../../api/own/snapshot_fetch.ts";
import type { Clock } from "../../env/clock.ts";
import { DiskFault } from "../../env/disk.ts";
import { LogFault } from "../../log/log_fault.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import type { Uuid } from "../../ground/uuid.ts";
import type { ReplicaKey } from "../../raft/configuration.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import { Observers, type ObserverStatus } from "./observers.ts";
import type { RaftNode } from "./raft_node.ts";

export interface MetadataServerOptions {
  readonly clock: Clock;
  /** The most that one answer holds, whatever is asked for; one batch may be larger. */
  readonly bytesMax?: number;
  /** The longest poll. */
  readonly waitMsMax?: number;
}

const BYTES_MAX = 8 * 1024 * 1024;
const WAIT_MS_MAX = 30_000;
/** Long polls at once; more are answered without waiting. */
const WAITERS_MAX = 10_000;
const NO_BYTES = new Uint8Array(0);

export class MetadataServer {
  readonly #node: RaftNode;
  readonly #options: Required<MetadataServerOptions>;
  /**
   * One poll for each start of a node: another one ends it. Not by node id: two nodes with the same one
   * would end each other's polls without a pause.
   */
  readonly #waiting = new Map<Uuid, () => void>();
  readonly #observers = new Observers();
  #isStopped = false;

  constructor(node: RaftNode, options: MetadataServerOptions) {
    this.#node = node;
    this.#options = { bytesMax: BYTES_MAX, waitMsMax: WAIT_MS_MAX, ...options };
  }

  async fetch(request: MetadataFetchRequest): Promise<MetadataFetchResponse> {
    const { offset, incarnationId } = request;
    this.#waiting.get(incarnationId)?.();
    const { offset: newest = toOffset(0) } = this.#node.snapshotStore.newest() ?? {};
    const isOld = offset < this.#node.logStartOffset || offset === 0 && newest > 0;
    if (isOld) return this.#answerSnapshot();
    if (offset >= this.#node.committedUpTo) await this.#wait(request);
    if (this.#isStopped) return this.#answer(ErrorCode.NotController);
    if (offset >= this.#node.committedUpTo) return this.#answer(ErrorCode.None);
    return await this.#answerBatches(request);
  }

  async snapshotChunk(request: SnapshotFetchRequest): Promise<SnapshotFetchResponse> {
    const { snapshot, position, bytesMax } = request;
    const isThere = this.#node.snapshotStore.ids().some(({ offset, term }) =>
      offset === snapshot.offset && term === snapshot.term
    );
    if (!isThere || this.#isStopped) return noChunk(ErrorCode.SnapshotNotFound);
    try {
      const most = Math.min(bytesMax, this.#options.bytesMax);
      const chunk = await this.#node.snapshotStore.readChunk(snapshot, position, most);
      if (chunk === undefined) return noChunk(ErrorCode.PositionOutOfRange);
      return { errorCode: ErrorCode.None, ...chunk };
    } catch (fault) {
      if (!(fault instanceof DiskFault)) throw fault;
      return noChunk(fault.kind === "not-found" ? ErrorCode.SnapshotNotFound : STORAGE);
    }
  }

  /** A node has told that it has everything below `endOffset`: by a poll here, or otherwise. */
  heard(key: ReplicaKey, endOffset: Offset): void {
    const logEnd = this.#node.committedUpTo;
    this.#observers.heard(key, { endOffset, logEnd }, this.#options.clock.monotonicMs());
  }

  /** Nodes that were heard lately, those with a vote too. */
  observers(): readonly ObserverStatus[] {
    return this.#observers.list(this.#options.clock.monotonicMs());
  }

  /** All polls are answered; none waits any more. */
  stop(): void {
    this.#isStopped = true;
    for (const wake of [...this.#waiting.values()]) wake();
  }

  /** Until more is committed, the time has passed, or the node asks again. */
  #wait({ offset, waitMs, incarnationId }: MetadataFetchRequest): Promise<void> {
    if (waitMs === 0 || this.#isStopped || this.#waiting.size >= WAITERS_MAX) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const wake = (): void => {
        if (this.#waiting.get(incarnationId) === wake) this.#waiting.delete(incarnationId);
        timer.cancel();
        unlisten();
        resolve();
      };
      const delayMs = Math.min(waitMs, this.#options.waitMsMax);
      const timer = this.#options.clock.after(delayMs, wake);
      const unlisten = this.#node.onCommitted(() => {
        if (this.#node.committedUpTo > offset) wake();
      });
      this.#waiting.set(incarnationId, wake);
    });
  }

  async #answerBatches(request: MetadataFetchRequest): Promise<MetadataFetchResponse> {
    const { offset, lastTerm } = request;
    const most = Math.min(request.bytesMax, this.#options.bytesMax);
    let records: Uint8Array | undefined;
    try {
      records = await this.#node.readCommitted(offset, most);
    } catch (fault) {
      if (!(fault instanceof DiskFault || fault instanceof LogFault)) throw fault;
      return this.#answer(STORAGE);
    }
    // The log has moved on meanwhile, or the follower's place is inside a batch of ours.
    if (records === undefined) {
      return offset < this.#node.logStartOffset
        ? this.#answerSnapshot()
        : this.#answer(ErrorCode.OffsetOutOfRange);
    }
    const walk = new BatchWalk(records);
    const isFit = walk.next() && walk.batch.partitionLeaderEpoch() >= lastTerm;
    if (!isFit) return this.#answer(ErrorCode.OffsetOutOfRange);
    return { ...this.#answer(ErrorCode.None), records };
  }

  #answerSnapshot(): MetadataFetchResponse {
    const snapshot = this.#node.snapshotStore.newest();
    if (snapshot === undefined) return this.#answer(ErrorCode.OffsetOutOfRange);
    return { ...this.#answer(ErrorCode.None), snapshot };
  }

  #answer(errorCode: ErrorCode): MetadataFetchResponse {
    const { leader, term } = this.#node.softState;
    const commitOffset: Offset = this.#node.committedUpTo;
    const known = leader === undefined ? {} : { leaderId: leader.id };
    return { errorCode, term, commitOffset, ...known };
  }
}

const STORAGE = ErrorCode.KafkaStorageError;

function noChunk(errorCode: ErrorCode): SnapshotFetchResponse {
  return { errorCode, bytes: NO_BYTES, totalBytes: 0, crc32c: 0 };
}
