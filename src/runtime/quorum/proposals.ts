/**
 * Decisions whose batches are in the log and whose outcome is awaited.
 *
 * What happened to one is known for certain when the state has passed its place: another batch there
 * means that it was never committed. That it was cut out of this node's log means nothing: another node
 * may have it still, lead a later term and commit it. So after a loss of leadership the outcome is
 * awaited for a while, and told as unknown then.
 */
import type { Clock, Timer } from "../../env/clock.ts";
import type { Offset } from "../../ground/numbers.ts";
import { NotController } from "./not_controller.ts";

interface Proposal {
  readonly baseOffset: Offset;
  readonly term: number;
  resolve(baseOffset: Offset): void;
  reject(error: unknown): void;
  timer: Timer | undefined;
  isCommitted: boolean;
}

export interface ProposalsOptions {
  readonly clock: Clock;
  /** How long the outcome is awaited when leadership is lost. */
  readonly outcomeMs: number;
  leaderId(): number | undefined;
}

export class Proposals {
  readonly #options: ProposalsOptions;
  /** In the order of their places. */
  readonly #pending = new Map<Offset, Proposal>();
  #onEmpty: () => void = () => undefined;

  constructor(options: ProposalsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#pending.size;
  }

  /** Resolves when the batch is committed and applied. */
  add(baseOffset: Offset, term: number): Promise<Offset> {
    return new Promise((resolve, reject) => {
      this.#pending.set(baseOffset, {
        baseOffset,
        term,
        resolve,
        reject,
        timer: undefined,
        isCommitted: false,
      });
    });
  }

  /** Whoever leads from here on, it stands: only until it is applied is waited for. */
  onCommitted(baseOffset: number, term: number): void {
    const proposal = this.#pending.get(baseOffset as Offset);
    if (proposal?.term !== term) return;
    proposal.timer?.cancel();
    proposal.isCommitted = true;
  }

  /** A committed batch is in the image. */
  onApplied(baseOffset: number, nextOffset: number, term: number): void {
    for (const proposal of [...this.#pending.values()]) {
      if (proposal.baseOffset >= nextOffset) break;
      const isThere = proposal.baseOffset === baseOffset && proposal.term === term;
      if (isThere) this.#take(proposal).resolve(proposal.baseOffset);
      else this.#take(proposal).reject(this.#refusal(proposal.baseOffset >= baseOffset));
    }
  }

  /** A snapshot stands for all batches below: what was in it of these is not known. */
  onReplaced(offset: Offset): void {
    for (const proposal of [...this.#pending.values()]) {
      if (proposal.baseOffset < offset) this.#take(proposal).reject(this.#refusal(false));
    }
  }

  onLeadershipLost(): void {
    const { clock, outcomeMs } = this.#options;
    for (const proposal of this.#pending.values()) {
      if (proposal.isCommitted) continue;
      proposal.timer ??= clock.after(outcomeMs, () => {
        this.#take(proposal).reject(this.#refusal(false));
      });
    }
  }

  rejectAll(error: unknown): void {
    for (const proposal of [...this.#pending.values()]) this.#take(proposal).reject(error);
  }

  /** The error of all whose outcome is not known. */
  unknown(): NotController {
    return this.#refusal(false);
  }

  /** Resolves when nothing is awaited any more. */
  whenEmpty(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty = resolve);
  }

  #refusal(isDefinite: boolean): NotController {
    return new NotController(this.#options.leaderId(), isDefinite);
  }

  #take(proposal: Proposal): Proposal {
    proposal.timer?.cancel();
    this.#pending.delete(proposal.baseOffset);
    if (this.#pending.size === 0) this.#onEmpty();
    return proposal;
  }
}
