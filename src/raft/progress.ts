/**
 * What a leader knows of one follower, and what it may send it next (etcd tracker/progress.go).
 *
 * ```
 *            accepted                  lost, or refused
 *   probe ------------> replicate ------------------------> probe
 *     |  what it needs is compacted                           ^
 *     +------------------------------> snapshot --------------+  it has got there
 * ```
 *
 * probe: one request with entries, then empty ones until it answers. replicate: requests follow each
 * other without waiting, at most `inflightMax` with entries. snapshot: offers only.
 */
import { assert } from "../ground/assert.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import { ZERO_UUID } from "../ground/uuid.ts";
import type { ReplicaKey, Voter } from "./configuration.ts";

export class Progress {
  /** As the configuration names it. */
  key: Voter;
  /** To whom messages go: as far as its directory is known, that one. */
  address: ReplicaKey;
  state: "probe" | "replicate" | "snapshot" = "probe";
  /** Up to here its log is the leader's, durably. */
  matchOffset: Offset = toOffset(0);
  /** Where the next request begins. */
  nextOffset: Offset;
  /** The latest read sequence it has confirmed. */
  readSequence = 0;
  /** The commit offset it can know from what was sent to it. */
  sentCommitOffset = 0;
  lastContactMs: number;
  lastCaughtUpMs = -1;
  /** Where the leader's log ended when it was last accepted, and when that was. */
  #endThen: number = Infinity;
  #thenMs = -1;
  /** A request must go with the next Ready, be it empty. */
  isNudged = false;
  /** In probe: entries went out and nothing has come back. */
  isProbing = false;
  /** It is no member any more, and is served until this time so that it learns of it. */
  servedUntilMs: number | undefined;
  /** Ends of the requests with entries that are on their way, oldest first. */
  #inflight: number[] = [];

  constructor(key: Voter, nextOffset: Offset, nowMs: number) {
    this.key = key;
    this.address = { id: key.id, directoryId: key.directoryId };
    this.nextOffset = nextOffset;
    this.lastContactMs = nowMs;
  }

  /**
   * It is caught up as of now where it has all there is, else as of its last answer where it has all
   * there was then: under steady load it would never be otherwise (kafka: ReplicaState).
   */
  noteCaughtUp(endOffset: Offset, nowMs: number): void {
    if (this.matchOffset >= endOffset) this.lastCaughtUpMs = nowMs;
    else if (this.matchOffset >= this.#endThen) this.lastCaughtUpMs = this.#thenMs;
    this.#endThen = endOffset;
    this.#thenMs = nowMs;
  }

  get inflightCount(): number {
    return this.#inflight.length;
  }

  /** A new configuration names it, perhaps at another address or with its directory. */
  rename(key: Voter): void {
    this.key = key;
    if (key.directoryId !== ZERO_UUID) this.learnDirectory(key);
  }

  /** It answered from this directory. */
  learnDirectory(from: ReplicaKey): void {
    if (this.address.directoryId === from.directoryId) return;
    this.address = { id: from.id, directoryId: from.directoryId };
  }

  becomeProbe(nextOffset: number): void {
    assert(nextOffset >= this.matchOffset, "what matched is not asked for again");
    this.state = "probe";
    this.nextOffset = toOffset(nextOffset);
    this.isProbing = false;
    this.#inflight = [];
  }

  becomeSnapshot(): void {
    this.state = "snapshot";
    this.isNudged = true;
    this.#inflight = [];
  }

  /** Entries up to `endOffset` are on their way. */
  sent(endOffset: Offset): void {
    if (this.state === "probe") {
      this.isProbing = true;
      return;
    }
    this.#inflight.push(endOffset);
    this.nextOffset = endOffset;
  }

  /**
   * It accepted, and matches up to `matchOffset`. A probe is answered by what reaches it: a late answer
   * to an earlier request would open the whole window, and where requests overtake each other, every
   * refusal and every late answer would cause a window full of requests.
   */
  accepted(matchOffset: Offset): void {
    const isProbeAnswered = matchOffset >= this.nextOffset;
    if (matchOffset > this.matchOffset) this.matchOffset = matchOffset;
    if (this.matchOffset > this.nextOffset) this.nextOffset = this.matchOffset;
    if (this.state === "probe" && isProbeAnswered) this.state = "replicate";
    while (this.#inflight.length > 0 && (this.#inflight[0] as number) <= this.matchOffset) {
      this.#inflight.shift();
    }
  }
}
