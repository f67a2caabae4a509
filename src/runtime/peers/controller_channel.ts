/**
 * Calls to the controllers: finds the active one, and asks again elsewhere where it was not it.
 *
 * Who leads is learned from the own Raft machine (`setLeader`), from Hello, and from the answers
 * themselves (see `KnownLeader`). While nobody is known, the controllers are asked in turn. What any
 * controller can answer stays with one until that one fails.
 *
 * A call that was sent and not answered may have been carried out. It is asked again only where that
 * does no harm (`isRepeatable`); else the caller hears `wasSent`.
 *
 * Not here: what an error code other than NOT_CONTROLLER means.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { OwnApi } from "../../api/own/own_api.ts";
import type { Clock } from "../../env/clock.ts";
import { type Address, PeerFault } from "../../env/network.ts";
import type { Random } from "../../env/random.ts";
import { KnownLeader } from "../quorum/known_leader.ts";
import { CallFault } from "./call_fault.ts";
import type { Peers } from "./peers.ts";

/** What the answer of a controller may tell beside what was asked. */
export interface ControllerAnswer {
  readonly errorCode: number;
  readonly leaderId?: number | undefined;
}

export interface ControllerCallOptions {
  /** All tries together; the channel's where left out. */
  readonly timeoutMs?: number;
  /** One try, of what may be asked again; a long poll needs more than its wait. */
  readonly attemptTimeoutMs?: number;
}

export interface ControllerCalls {
  /** Rejects with a `CallFault` where no controller has answered in time. */
  call<Req, Res extends ControllerAnswer>(
    api: OwnApi<Req, Res>,
    request: Req,
    options?: ControllerCallOptions,
  ): Promise<Res>;
  /** Undefined where nobody is known to lead. */
  readonly leaderId: number | undefined;
}

/** A controller by its id, or only by where it is. */
export type Candidate = { readonly nodeId: number } | { readonly address: Address };

export interface ControllerChannelOptions {
  readonly env: { readonly clock: Clock; readonly random: Random };
  readonly peers: Pick<Peers, "call" | "callAt">;
  readonly selfId: number;
  /** All controllers that may be asked, this node too where it is one. */
  candidates(): readonly Candidate[];
  /** Answers a call to this very node; left out where it is no controller. */
  local?<Req, Res extends ControllerAnswer>(api: OwnApi<Req, Res>, request: Req): Promise<Res>;
  readonly timeoutMs: number;
}

/** Kafka's codes that say: not carried out, and not by this one. */
const ELSEWHERE: ReadonlySet<number> = new Set([ErrorCode.NotController]);
const ATTEMPT_TIMEOUT_MS = 5000;
const BACKOFF_MS_MIN = 10;
const BACKOFF_MS_MAX = 250;
/** What a leader that was deposed has for an answer that is under way. */
const DEPOSED_MS = 1000;

export class ControllerChannel implements ControllerCalls {
  readonly #options: ControllerChannelOptions;
  readonly #onLeader = new Set<() => void>();
  readonly #leader = new KnownLeader();
  /** Places in the list of candidates: who is asked while nobody leads, and who is asked what any can answer. */
  readonly #turns = { leader: 0, any: 0 };
  #isClosed = false;

  constructor(options: ControllerChannelOptions) {
    this.#options = options;
  }

  get leaderId(): number | undefined {
    return this.#leader.leaderId;
  }

  /** From whoever may know. */
  setLeader(leaderId: number | undefined, term: number): void {
    const isNews = this.#leader.hear(leaderId, term, this.#options.env.clock.monotonicMs());
    if (isNews) { for (const onLeader of [...this.#onLeader]) onLeader(); }
  }

  /** Ends the tries of calls under way; what has been sent is answered, or lost, by `Peers`. */
  close(): void {
    this.#isClosed = true;
    for (const onLeader of [...this.#onLeader]) onLeader();
  }

  async call<Req, Res extends ControllerAnswer>(
    api: OwnApi<Req, Res>,
    request: Req,
    options: ControllerCallOptions = {},
  ): Promise<Res> {
    const { clock } = this.#options.env;
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? this.#options.timeoutMs);
    let lastFault = new CallFault("not-found", "there is no controller to ask", false);
    for (let attempt = 0;; attempt++) {
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0 || this.#isClosed) throw lastFault;
      const target = this.#target(api.askedOf);
      if (target !== undefined) {
        const attemptMs = api.isRepeatable
          ? Math.min(options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS, leftMs)
          : leftMs;
        // deno-lint-ignore no-await-in-loop -- one try after the other
        const answer = await this.#attempt(target, api, request, attemptMs);
        if (!(answer instanceof CallFault)) return answer;
        lastFault = answer;
        if (answer.wasSent && !api.isRepeatable) throw answer;
      }
      // deno-lint-ignore no-await-in-loop -- one try after the other
      await this.#pause(attempt, Math.max(0, deadlineMs - clock.monotonicMs()));
    }
  }

  /** The answer; or, as a fault, why to ask elsewhere. */
  async #attempt<Req, Res extends ControllerAnswer>(
    target: Candidate,
    api: OwnApi<Req, Res>,
    request: Req,
    timeoutMs: number,
  ): Promise<Res | CallFault> {
    try {
      const answer = await this.#ask(target, api, request, timeoutMs);
      this.#learn(answer);
      if (!ELSEWHERE.has(answer.errorCode)) {
        this.#wasRight(target, api.askedOf);
        return answer;
      }
      this.#wasWrong(target, api.askedOf, answer.leaderId);
      return new CallFault("refused", `Cannot ask ${api.name}: not the active controller`, false);
    } catch (thrown) {
      if (!(thrown instanceof PeerFault)) throw thrown;
      this.#wasWrong(target, api.askedOf);
      return thrown instanceof CallFault
        ? thrown
        : new CallFault(thrown.kind, thrown.message, true);
    }
  }

  #ask<Req, Res extends ControllerAnswer>(
    target: Candidate,
    api: OwnApi<Req, Res>,
    request: Req,
    timeoutMs: number,
  ): Promise<Res> {
    const { peers, selfId, local } = this.#options;
    if ("address" in target) return peers.callAt(target.address, api, request, { timeoutMs });
    if (target.nodeId === selfId && local !== undefined) {
      return this.#within(timeoutMs, api.name, local(api, request));
    }
    const answer = peers.call(target.nodeId, api, request, { timeoutMs });
    return api.askedOf === "any" ? answer : this.#unlessDeposed(target.nodeId, api.name, answer);
  }

  /** What is asked of this very node has no connection that would give it up. */
  #within<Res>(timeoutMs: number, name: string, answer: Promise<Res>): Promise<Res> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.env.clock.after(timeoutMs, () => {
        reject(
          new CallFault("timeout", `this node: no answer to ${name} in ${timeoutMs} ms`, true),
        );
      });
      answer.finally(() => timer.cancel()).then(resolve, reject);
    });
  }

  /** A leader that stands still (paused, cut off) need not be waited for once another leads. */
  #unlessDeposed<Res>(nodeId: number, name: string, answer: Promise<Res>): Promise<Res> {
    const { clock } = this.#options.env;
    return new Promise((resolve, reject) => {
      const onLeader = (): void => {
        if (!this.#isClosed && (this.leaderId === undefined || this.leaderId === nodeId)) return;
        this.#onLeader.delete(onLeader);
        const timer = clock.after(this.#isClosed ? 0 : DEPOSED_MS, () => {
          reject(new CallFault("timeout", `node ${nodeId}: leads no more: ${name}`, true));
        });
        answer.finally(() => timer.cancel()).catch(() => undefined); // it is heard below
      };
      this.#onLeader.add(onLeader);
      answer.finally(() => this.#onLeader.delete(onLeader)).then(resolve, reject);
    });
  }

  #target(askedOf: "leader" | "any"): Candidate | undefined {
    if (askedOf === "leader" && this.leaderId !== undefined) return { nodeId: this.leaderId };
    const candidates = this.#options.candidates();
    return candidates[this.#turns[askedOf] % Math.max(candidates.length, 1)];
  }

  #learn(answer: ControllerAnswer & { readonly term?: unknown }): void {
    if (typeof answer.term === "number") this.setLeader(answer.leaderId, answer.term);
  }

  /** `hint`: who is said to lead instead. */
  #wasWrong(target: Candidate, askedOf: "leader" | "any", hint?: number): void {
    const asked = "nodeId" in target ? target.nodeId : undefined;
    if (askedOf === "any" || this.leaderId === undefined) this.#turns[askedOf]++;
    if (asked !== undefined) this.#leader.disprove(asked);
    if (hint !== undefined && hint !== asked) this.#leader.suppose(hint);
  }

  #wasRight(target: Candidate, askedOf: "leader" | "any"): void {
    if (askedOf === "any" || !("nodeId" in target)) return;
    this.#leader.confirm(target.nodeId, this.#options.env.clock.monotonicMs());
  }

  /** The first tries follow soon: a new leader is there within an election. */
  #pause(attempt: number, leftMs: number): Promise<void> {
    const { clock, random } = this.#options.env;
    const exactMs = Math.min(BACKOFF_MS_MIN * 2 ** Math.min(attempt, 10), BACKOFF_MS_MAX);
    const delayMs = Math.min(exactMs * (0.8 + random.below(401) / 1000), leftMs);
    return new Promise((resolve) => {
      const onEnd = (): void => {
        this.#onLeader.delete(onEnd);
        timer.cancel();
        resolve();
      };
      const timer = clock.after(delayMs, onEnd);
      this.#onLeader.add(onEnd);
    });
  }
}
