/**
 * What peers, and those that would like to be some, were refused for: counted by reason, and each
 * reason told at most once a minute, with how often it happened since it was last told.
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

interface Refused {
  count: number;
  untold: number;
  toldAtMs: number;
}

export class PeerRefusals {
  readonly #clock: Clock;
  readonly #trace: Trace;
  readonly #reasons = new Map<RefusalReason, Refused>();

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
    let refused = this.#reasons.get(reason);
    if (refused === undefined) {
      refused = { count: 0, untold: 0, toldAtMs: -Infinity };
      this.#reasons.set(reason, refused);
    }
    refused.count++;
    refused.untold++;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - refused.toldAtMs < TELL_EVERY_MS) return;
    const times = refused.untold;
    refused.toldAtMs = nowMs;
    refused.untold = 0;
    this.#trace.event("warn", "a peer was refused", { reason, detail, times, ...fields });
  }
}
