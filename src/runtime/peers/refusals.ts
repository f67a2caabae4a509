/**
 * What peers, and those that would like to be some, were refused for, and which of their requests
 * failed: counted by reason, and each reason told at most once a minute, with how often it happened
 * since it was last told. Whoever can send a request can send a million.
 */
import type { Clock } from "../../env/clock.ts";
import type { Trace, TraceFields } from "../../env/trace.ts";

export type RefusalReason =
  /** Another cluster id. */
  | "other-cluster"
  /** Who answers, or asks, is not who was expected: another node id or directory id. */
  | "unexpected-identity"
  /** It has the node id of this very node. */
  | "own-identity"
  /** An own API before a valid Hello, or on a listener that takes no peers. */
  | "not-a-peer"
  /** A key, or a version, that is not spoken here. */
  | "unknown-api"
  /** Bytes that are no message, or an answer that none was asked for. */
  | "garbage"
  | "oversized"
  /** A voter that this node does not want to hear. */
  | "unknown-voter"
  /** Far beyond any that an election can have come to. */
  | "impossible-term"
  /** Batches that do not follow one another, or the place they are said to follow. */
  | "holes"
  /** Batches or a piece of a snapshot whose CRC-32C is not theirs. */
  | "corrupt";

const TELL_EVERY_MS = 60_000;

interface Counted {
  count: number;
  untold: number;
  toldAtMs: number;
}

export class PeerRefusals {
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly #reasons = new Map<RefusalReason, Counted>();
  /** By the name of the API. */
  readonly #failures = new Map<string, Counted>();

  constructor({ clock, trace }: { readonly clock: Clock; readonly trace: Trace }) {
    this.#clock = clock;
    this.#trace = trace;
  }

  /** How often each reason occurred, for the metrics. */
  counts(): ReadonlyMap<RefusalReason, number> {
    return new Map([...this.#reasons].map(([reason, { count }]) => [reason, count]));
  }

  countOf(reason: RefusalReason): number {
    return this.#reasons.get(reason)?.count ?? 0;
  }

  add(reason: RefusalReason, detail: string, fields: TraceFields = {}): void {
    const times = this.#timesToTell(this.#reasons, reason);
    if (times === 0) return;
    this.#trace.event("warn", "a peer was refused", { reason, detail, times, ...fields });
  }

  /** A request was understood, and whoever serves it could not: a fault of this program. */
  addFailure(api: string, error: string, fields: TraceFields = {}): void {
    const times = this.#timesToTell(this.#failures, api);
    if (times === 0) return;
    this.#trace.event("error", "a request of a peer failed", { api, error, times, ...fields });
  }

  /** How often it has happened since it was last told; 0 where it is not told now. */
  #timesToTell<Key>(all: Map<Key, Counted>, key: Key): number {
    let counted = all.get(key);
    if (counted === undefined) {
      counted = { count: 0, untold: 0, toldAtMs: -Infinity };
      all.set(key, counted);
    }
    counted.count++;
    counted.untold++;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - counted.toldAtMs < TELL_EVERY_MS) return 0;
    const times = counted.untold;
    counted.toldAtMs = nowMs;
    counted.untold = 0;
    return times;
  }
}
