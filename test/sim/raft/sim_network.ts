/**
 * Links between nodes: each message is delayed, lost, doubled, overtaken or held back.
 *
 * A link is one direction of a pair. Cuts are counted per link, so that two partitions at once heal
 * separately; a clogged link keeps what it is given until the clog is over. A run draws whether links
 * keep the order of messages (as TCP does while a connection lives) or not.
 */
import type { Prng } from "../../../src/ground/prng.ts";
import type { SimOptions } from "./options.ts";

/** Finer than a millisecond, and exact in binary: the same sums on every runtime. */
export const TICKS_PER_MS = 16;

export interface Cut {
  readonly links: readonly number[];
}

export class SimNetwork {
  readonly #options: SimOptions["network"];
  readonly #troubleMeanMs: number;
  readonly #random: Prng;
  readonly #nodeCount: number;
  readonly #cutCounts: Uint8Array;
  readonly #clogUntilMs: Float64Array;
  readonly #lastArrivalMs: Float64Array;
  readonly #extraMs: Float64Array;
  readonly #cuts = new Set<Cut>();
  /** Links between these nodes are healthy whatever the options say: the liveness phase. */
  #calm: ReadonlySet<number> = new Set();
  #calmDelayMs = 0;

  constructor(options: SimOptions, random: Prng) {
    this.#options = options.network;
    this.#troubleMeanMs = options.troubleMeanMs;
    this.#random = random;
    this.#nodeCount = options.nodeCount;
    const linkCount = options.nodeCount ** 2;
    this.#cutCounts = new Uint8Array(linkCount);
    this.#clogUntilMs = new Float64Array(linkCount);
    this.#lastArrivalMs = new Float64Array(linkCount);
    this.#extraMs = new Float64Array(options.nodeCount);
  }

  link(from: number, to: number): number {
    return from * this.#nodeCount + to;
  }

  isOpen(from: number, to: number): boolean {
    return this.#cutCounts[this.link(from, to)] === 0;
  }

  cut(links: readonly number[]): Cut {
    const cut = { links };
    this.#cuts.add(cut);
    for (const link of links) this.#cutCounts[link] = (this.#cutCounts[link] as number) + 1;
    return cut;
  }

  /** Undone once; a cut that `calm` swept away stays so. */
  heal(cut: Cut): void {
    if (!this.#cuts.delete(cut)) return;
    for (const link of cut.links) this.#cutCounts[link] = (this.#cutCounts[link] as number) - 1;
  }

  clog(link: number, untilMs: number): void {
    this.#clogUntilMs[link] = Math.max(this.#clogUntilMs[link] as number, untilMs);
  }

  /** Everything from and to this node takes so much longer. */
  slowDown(node: number, extraMs: number): void {
    this.#extraMs[node] = extraMs;
  }

  /** Heals every link and keeps those among `core` healthy. */
  calm(core: ReadonlySet<number>, delayMs: number): void {
    this.#cuts.clear();
    this.#cutCounts.fill(0);
    this.#clogUntilMs.fill(0);
    this.#lastArrivalMs.fill(0);
    for (const node of core) this.#extraMs[node] = 0;
    this.#calm = core;
    this.#calmDelayMs = delayMs;
  }

  /**
   * When a message that leaves now arrives; undefined = lost. Called once per copy.
   * Whether the link is cut is looked at on both ends: here, and when it arrives.
   */
  arrival(nowMs: number, from: number, to: number): number | undefined {
    const link = this.link(from, to);
    if (this.#cutCounts[link] !== 0) return undefined;
    const random = this.#random;
    const options = this.#options;
    if (this.#calm.size > 0 && this.#calm.has(from) && this.#calm.has(to)) {
      return this.#inOrder(
        link,
        nowMs + 1 / TICKS_PER_MS + random.below(this.#calmDelayMs * 16) / 16,
      );
    }
    if (options.lossPermille > 0 && random.below(1_000) < options.lossPermille) return undefined;
    let delayMs = options.delayMinMs + 1 / TICKS_PER_MS;
    if (options.delayMeanMs > 0) {
      delayMs += random.below(options.delayMeanMs * 2 * TICKS_PER_MS) / TICKS_PER_MS;
      if (random.oneIn(32)) delayMs += random.below(options.delayMeanMs * 10);
    }
    if (!options.isOrdered && random.below(1_000) < options.stragglerPermille) {
      delayMs += random.below(2 * this.#troubleMeanMs);
    }
    delayMs += (this.#extraMs[from] as number) + (this.#extraMs[to] as number);
    const clogUntilMs = this.#clogUntilMs[link] as number;
    const leavesMs = clogUntilMs > nowMs ? clogUntilMs : nowMs;
    return options.isOrdered ? this.#inOrder(link, leavesMs + delayMs) : leavesMs + delayMs;
  }

  isDoubled(): boolean {
    return this.#options.duplicatePermille > 0 && this.#calm.size === 0 &&
      this.#random.below(1_000) < this.#options.duplicatePermille;
  }

  #inOrder(link: number, atMs: number): number {
    const ordered = Math.max(atMs, this.#lastArrivalMs[link] as number);
    this.#lastArrivalMs[link] = ordered;
    return ordered;
  }
}
