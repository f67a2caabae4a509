/**
 * The disk and the driver's memory of one replica in these tests: what was handed out to be written,
 * what is durable, and the bytes of batches.
 *
 * A batch is one line of text, `baseOffset term payload`, so that a test can see whether the bytes that
 * belong to an entry came along with it.
 */
import type { Configuration } from "../../src/raft/configuration.ts";
import type { Entry, SnapshotId } from "../../src/raft/entry.ts";
import type { HardState, Persist } from "../../src/raft/ready.ts";
import { assert } from "../../src/ground/assert.ts";

export type Snapshot = SnapshotId & { readonly configuration: Configuration };

export interface Batch {
  readonly entry: Entry;
  readonly line: string;
}

interface Content {
  readonly hardState: HardState;
  readonly snapshot: Snapshot | undefined;
  readonly batches: readonly Batch[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class TestDisk {
  /** As the driver sees it: everything handed out. */
  content: Content = { hardState: { term: 0 }, snapshot: undefined, batches: [] };
  /** What a crash leaves. */
  durable: Content = this.content;
  /** Persists in flight with what is on the disk once they are durable. */
  flights: { readonly number: number; readonly content: Content }[] = [];
  /** Payloads of own proposals, by base offset and term. */
  readonly proposals = new Map<string, string>();
  installed: Snapshot | undefined;

  write(persist: Persist): void {
    const { hardState, snapshot, batches } = this.content;
    let kept = batches;
    let base = snapshot;
    if (persist.resetTo !== undefined) {
      assert(this.installed !== undefined, "a reset follows an installed snapshot");
      base = this.installed;
      kept = [];
    }
    const { truncateTo } = persist;
    if (truncateTo !== undefined) {
      kept = kept.filter((batch) => batch.entry.baseOffset < truncateTo);
    }
    const end = kept.at(-1)?.entry.nextOffset ?? base?.offset ?? 0;
    const first = persist.entries[0];
    assert(first === undefined || first.baseOffset === end, "entries go where the log ends");
    const lines = linesOf(persist);
    const added = persist.entries.map((entry) => ({ entry, line: this.#lineOf(entry, lines) }));
    this.content = {
      hardState: persist.hardState ?? hardState,
      snapshot: base,
      batches: [...kept, ...added],
    };
    this.flights.push({ number: persist.number, content: this.content });
  }

  /** The oldest persist in flight is durable; its number. */
  sync(): number | undefined {
    const flight = this.flights.shift();
    if (flight === undefined) return undefined;
    this.durable = flight.content;
    return flight.number;
  }

  crash(): void {
    this.flights = [];
    this.content = this.durable;
    this.proposals.clear();
  }

  /** The snapshot of the own state; the log below it goes. */
  compact(snapshot: Snapshot): void {
    const compacted = (content: Content): Content => ({
      ...content,
      snapshot,
      batches: content.batches.filter((batch) => batch.entry.baseOffset >= snapshot.offset),
    });
    this.content = compacted(this.content);
    this.durable = compacted(this.durable);
    this.flights = this.flights.map((flight) => ({
      ...flight,
      content: compacted(flight.content),
    }));
  }

  read(from: number, upTo: number): Uint8Array {
    const lines = this.content.batches
      .filter(({ entry }) => entry.baseOffset >= from && entry.baseOffset < upTo)
      .map((batch) => batch.line);
    return encoder.encode(lines.map((line) => `${line}\n`).join(""));
  }

  #lineOf(entry: Entry, lines: ReadonlyMap<number, string>): string {
    const sent = lines.get(entry.baseOffset);
    if (sent !== undefined) {
      assert(sent.startsWith(`${entry.baseOffset} ${entry.term} `), "bytes belong to their entry");
      return sent;
    }
    const payload = this.proposals.get(`${entry.baseOffset}/${entry.term}`) ??
      (entry.isLeaderChange === true ? "leader-change" : "configuration");
    const isMade = entry.isLeaderChange === true || entry.configuration !== undefined ||
      payload !== "configuration";
    assert(isMade, "an entry without bytes is the machine's own or a proposal");
    return `${entry.baseOffset} ${entry.term} ${payload}`;
  }
}

/** The batches that the pieces name, by base offset. */
function linesOf(persist: Persist): ReadonlyMap<number, string> {
  const lines = new Map<number, string>();
  for (const piece of persist.records ?? []) {
    for (const line of decoder.decode(piece.records).split("\n")) {
      const baseOffset = Number(line.split(" ")[0]);
      const isWanted = line !== "" && baseOffset >= piece.from && baseOffset < piece.upTo;
      if (isWanted) lines.set(baseOffset, line);
    }
  }
  return lines;
}
