/**
 * Messages of the machine on their way out: an AppendRequest gets its batches from the log.
 *
 * Never bytes of another term than the machine means: between its word and the reading the log may have
 * been cut. What cannot be read so is told as lost, and the machine begins again; so is what cannot be
 * read for want of handles.
 */
import { DiskFault, isPassing } from "../../env/disk.ts";
import { concat } from "../../ground/concat.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import type { ReplicaKey, Voter } from "../../raft/configuration.ts";
import type { Entry } from "../../raft/entry.ts";
import type { Outgoing, OutgoingAppend } from "../../raft/ready.ts";
import { BatchWalk } from "../../record/batch_walk.ts";
import type { RaftStorage } from "./raft_storage.ts";
import type { RaftTransport } from "./raft_transport.ts";
import type { RaftWriter } from "./raft_writer.ts";

export interface RaftSenderOptions {
  readonly storage: RaftStorage;
  readonly writer: RaftWriter;
  readonly transport: RaftTransport;
  addressOf(key: ReplicaKey): Voter;
  /** An AppendRequest with entries did not leave. */
  onLost(to: ReplicaKey): void;
  /** The log cannot be read now; the append is told as lost. */
  onNoRoom(fault: DiskFault): void;
  onFault(fault: unknown): void;
}

type Append = Omit<OutgoingAppend, "range">;
type Range = NonNullable<OutgoingAppend["range"]>;

const READ_BYTES = 1024 * 1024;
const NO_BYTES = new Uint8Array(0);

export class RaftSender {
  readonly #options: RaftSenderOptions;
  #isStopped = false;

  constructor(options: RaftSenderOptions) {
    this.#options = options;
  }

  send(outgoing: Outgoing): void {
    if (this.#isStopped) return;
    if (outgoing.kind !== "AppendRequest") {
      const { addressOf, transport } = this.#options;
      return transport.send(addressOf(outgoing.to), outgoing);
    }
    const { range, ...append } = outgoing;
    const bytes = range === undefined ? NO_BYTES : this.#readNow(range);
    if (bytes !== undefined) return this.#sendAppend(append, bytes);
    this.#readAll(range as Range).then(
      (found) => this.#sendAppend(append, found),
      (fault: unknown) => this.#onUnread(append, fault),
    );
  }

  stop(): void {
    this.#isStopped = true;
  }

  #onUnread(append: Append, fault: unknown): void {
    if (this.#isStopped) return;
    if (!(fault instanceof DiskFault && isPassing(fault))) return this.#options.onFault(fault);
    this.#options.onNoRoom(fault);
    this.#sendAppend(append, undefined);
  }

  #sendAppend(append: Append, records: Uint8Array | undefined): void {
    if (this.#isStopped) return;
    const { to, entries } = append;
    const lost = (): void => entries.length > 0 ? this.#options.onLost(to) : undefined;
    if (records === undefined || !isSameBatches(records, entries)) return lost();
    const { addressOf, transport } = this.#options;
    transport.send(addressOf(to), { ...append, records }, lost);
  }

  /** What lies in memory needs no wait, so that messages keep their order. */
  #readNow({ from, upTo }: Range): Uint8Array | undefined {
    if (this.#options.writer.isWriting) return undefined;
    try {
      const bytes = this.#options.storage.read(from, upTo, READ_BYTES);
      if (bytes instanceof Uint8Array) return endOf(bytes) === upTo ? bytes : undefined;
      bytes?.catch(() => undefined); // it is read again
    } catch (fault) {
      if (!(fault instanceof DiskFault)) throw fault; // else it is read again
    }
    return undefined;
  }

  /** Undefined where the log does not reach so far (any more). */
  async #readAll({ from, upTo }: Range): Promise<Uint8Array | undefined> {
    const { storage, writer } = this.#options;
    if (writer.isWriting) await writer.written();
    const pieces: Uint8Array[] = [];
    for (let next = from; next < upTo;) {
      // deno-lint-ignore no-await-in-loop -- each read starts where the last one ended
      const bytes = await storage.read(next, upTo, READ_BYTES);
      if (bytes === undefined) return undefined;
      pieces.push(bytes);
      next = endOf(bytes);
    }
    return concat(pieces);
  }
}

function isSameBatches(records: Uint8Array, entries: readonly Entry[]): boolean {
  const walk = new BatchWalk(records);
  for (const { baseOffset, nextOffset, term } of entries) {
    if (!walk.next()) return false;
    const { batch } = walk;
    if (batch.baseOffset() !== baseOffset || batch.nextOffset() !== nextOffset) return false;
    if (batch.partitionLeaderEpoch() !== term) return false;
  }
  return !walk.next();
}

function endOf(bytes: Uint8Array): Offset {
  const walk = new BatchWalk(bytes);
  let end = 0;
  while (walk.next()) end = walk.batch.nextOffset();
  return toOffset(end);
}
