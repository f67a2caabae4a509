/**
 * A broker's life in its cluster: registered, fenced until it has caught up, serving, leaving.
 *
 *     registering ──► fenced ──► serving ──► leaving ──► gone
 *          ▲            │ ▲________│ fenced: it was not heard of for a session
 *          └────────────┘ unregistered while it lives
 *
 * One loop: it registers until that is done, then sends heartbeats. Where this node leads the quorum it
 * is in contact with itself, so that a node alone has no timer here; a change of the leader wakes the
 * loop. Whoever else registers this id with another incarnation ends it: two nodes must not take turns.
 * Not here: who decides (`controller/`), how the active controller is found (`runtime/peers/`). Longer
 * than most: one state machine with what is told of it.
 */
import type { Clock, Timer } from "../env/clock.ts";
import type { Random } from "../env/random.ts";
import type { Trace } from "../env/trace.ts";
import { ErrorCode, errorName } from "../api/error_code.ts";
import { BrokerFault } from "./broker_fault.ts";

export interface RegistrationAnswer {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly brokerEpoch: number;
}

export interface HeartbeatAnswer {
  readonly errorCode: number;
  readonly isFenced: boolean;
  readonly shouldShutDown: boolean;
}

export interface HeartbeatQuestion {
  readonly brokerEpoch: number;
  /** It is not ready to serve. */
  readonly wantFence: boolean;
  readonly wantShutDown: boolean;
}

/** Calls to the active controller, wherever it is. They reject where it did not answer in time. */
export interface LifecycleCalls {
  register(): Promise<RegistrationAnswer>;
  heartbeat(request: HeartbeatQuestion): Promise<HeartbeatAnswer>;
  /** Whether this node is the active controller: it need not tell itself that it lives. */
  isLeaderHere(): boolean;
}

export interface LifecycleOptions {
  readonly nodeId: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly trace: Trace;
  readonly calls: LifecycleCalls;
  readonly heartbeatMs: number;
  readonly sessionMs: number;
  /** The broker cannot go on: another node has its id. */
  readonly onFailed: (fault: BrokerFault) => void;
}

export type LifecycleState = "registering" | "fenced" | "serving" | "leaving" | "gone";

/** While it is fenced a broker asks more often: it wants to serve. */
const FENCED_HEARTBEAT_MS = 500;
const AGAIN_MS_MIN = 50;
const AGAIN_MS_MAX = 1000;
const LEAVE_MS = 20;
/** Of one that goes: so long nobody answers, and there is nobody to take leave of. */
const UNANSWERED_MS = 1500;
const TELL_MS = 60_000;
/** Refusals of a registration that stay however often one asks. */
const FINAL: ReadonlySet<number> = new Set([
  ErrorCode.InconsistentClusterId,
  ErrorCode.InvalidRequest,
  ErrorCode.InvalidRegistration,
  ErrorCode.UnsupportedVersion,
]);

export class BrokerLifecycle {
  readonly #options: LifecycleOptions;
  #state: LifecycleState = "registering";
  #brokerEpoch = -1;
  #timer: Timer | undefined;
  #deadline: Timer | undefined;
  #unanswered: Timer | undefined;
  #onWake: () => void = () => undefined;
  #isWoken = false;
  #isPrepared = false;
  #onRegistered: () => void = () => undefined;
  #onServing: () => void = () => undefined;
  #onGone: () => void = () => undefined;
  #failures = 0;
  #toldMs = -Infinity;
  #duplicateSinceMs: number | undefined;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** -1 while it is not registered. */
  get brokerEpoch(): number {
    return this.#brokerEpoch;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Begins; resolves when the broker is registered for the first time, or was stopped. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRegistered = resolve;
      void this.#run();
    });
  }

  /** Partitions are open: resolves when the broker is unfenced for the first time, or was stopped. */
  serve(): Promise<void> {
    this.#isPrepared = true;
    return new Promise((resolve) => {
      this.#onServing = resolve;
      if (this.#isGone()) resolve();
      this.#wake();
    });
  }

  /** Another node leads the quorum now, or this one: it shall hear of the broker soon. */
  onLeaderChange(): void {
    this.#wake();
  }

  /** Metadata has it that the incarnation with this epoch was unregistered: it registers anew. */
  onUnregistered(brokerEpoch: number): void {
    const isLive = this.#state === "fenced" || this.#state === "serving";
    if (!isLive || brokerEpoch !== this.#brokerEpoch) return;
    this.#state = "registering";
    this.#wake();
  }

  /**
   * Tells the active controller that the broker goes; resolves when it may, after that time, or where no
   * controller answers: the last nodes of a cluster that stops have nobody to tell.
   */
  leave(timeoutMs: number): Promise<void> {
    if (this.#state === "gone" || this.#brokerEpoch < 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onGone = resolve;
      this.#state = "leaving";
      this.#deadline = this.#options.clock.after(timeoutMs, () => this.stop());
      this.#awaitAnswer();
      this.#wake();
    });
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#state = "gone";
    this.#timer?.cancel();
    this.#deadline?.cancel();
    this.#unanswered?.cancel();
    this.#wake();
    this.#onRegistered();
    this.#onServing();
    this.#onGone();
  }

  #awaitAnswer(): void {
    this.#unanswered?.cancel();
    this.#unanswered = this.#options.clock.after(UNANSWERED_MS, () => this.stop());
  }

  async #run(): Promise<void> {
    while (!this.#isGone()) {
      let pauseMs: number;
      try {
        // deno-lint-ignore no-await-in-loop -- one step after the other, for as long as it lives
        pauseMs = this.#state === "registering" ? await this.#register() : await this.#beat();
        this.#failures = 0;
      } catch (error) {
        pauseMs = this.#onFailure(error);
      }
      // deno-lint-ignore no-await-in-loop
      if (!this.#isGone()) await this.#pause(pauseMs);
    }
  }

  /** Gives the pause until the next step. */
  async #register(): Promise<number> {
    const { calls, trace, nodeId } = this.#options;
    const answer = await calls.register();
    if (this.#isGone()) return 0;
    if (answer.errorCode === ErrorCode.None) {
      this.#brokerEpoch = answer.brokerEpoch;
      this.#duplicateSinceMs = undefined;
      if (this.#state === "registering") this.#state = "fenced";
      trace.event("info", "registered", { nodeId, brokerEpoch: answer.brokerEpoch });
      this.#onRegistered();
      return 0;
    }
    return this.#onRefused(answer);
  }

  #onRefused({ errorCode, errorMessage }: RegistrationAnswer): number {
    const { clock, sessionMs, nodeId } = this.#options;
    const reason = errorMessage ?? errorName(errorCode as ErrorCode);
    if (FINAL.has(errorCode)) {
      const code = errorCode === ErrorCode.InconsistentClusterId ? "WRONG_CLUSTER" : "BAD_SETTING";
      this.#fail(new BrokerFault(code, `Cannot join the cluster: ${reason}`, REFUSED_HINT));
      return 0;
    }
    if (errorCode === ErrorCode.DuplicateBrokerRegistration) {
      // What ran here before may have been killed a moment ago, and is alive for the cluster still.
      this.#duplicateSinceMs ??= clock.monotonicMs();
      if (clock.monotonicMs() - this.#duplicateSinceMs > 2 * sessionMs) {
        this.#fail(takenFault(nodeId, "alive in this cluster"));
        return 0;
      }
    }
    this.#tell("not registered yet", reason);
    return Math.min(FENCED_HEARTBEAT_MS, sessionMs / 4);
  }

  async #beat(): Promise<number> {
    const { calls, heartbeatMs } = this.#options;
    // In contact with itself, and nothing to ask for.
    if (this.#state === "serving" && calls.isLeaderHere()) return Infinity;
    const wantShutDown = this.#state === "leaving";
    const answer = await calls.heartbeat({
      brokerEpoch: this.#brokerEpoch,
      wantFence: !this.#isPrepared,
      wantShutDown,
    });
    if (this.#isGone()) return 0;
    switch (answer.errorCode) {
      case ErrorCode.None:
        return this.#onBeat(answer, wantShutDown);
      case ErrorCode.BrokerIdNotRegistered:
        if (wantShutDown) this.stop();
        else this.#state = "registering";
        return 0;
      case ErrorCode.StaleBrokerEpoch:
        this.#fail(takenFault(this.#options.nodeId, "registered since"));
        return 0;
      default:
        this.#tell("a heartbeat was refused", errorName(answer.errorCode as ErrorCode));
        return Math.min(heartbeatMs, FENCED_HEARTBEAT_MS);
    }
  }

  #onBeat({ isFenced, shouldShutDown }: HeartbeatAnswer, wantShutDown: boolean): number {
    const { heartbeatMs, trace, nodeId, calls } = this.#options;
    if (wantShutDown) {
      if (shouldShutDown) this.stop();
      else this.#awaitAnswer();
      return LEAVE_MS;
    }
    if (this.#state === "leaving") return 0; // was told meanwhile
    if (isFenced) {
      if (this.#state === "serving") trace.event("warn", "fenced by the controller", { nodeId });
      this.#state = "fenced";
      return Math.min(heartbeatMs, FENCED_HEARTBEAT_MS);
    }
    if (this.#state === "fenced") {
      this.#state = "serving";
      this.#onServing();
    }
    return calls.isLeaderHere() ? Infinity : heartbeatMs;
  }

  #onFailure(error: unknown): number {
    const { random } = this.#options;
    // Of a cluster that stops the last nodes have nobody to take leave of.
    if (this.#state !== "leaving" && !this.#isGone()) {
      this.#tell("the active controller does not answer", reasonOf(error));
    }
    const most = Math.min(AGAIN_MS_MIN * 2 ** Math.min(this.#failures++, 10), AGAIN_MS_MAX);
    return most / 2 + random.below(Math.ceil(most / 2));
  }

  #fail(fault: BrokerFault): void {
    this.stop();
    this.#options.onFailed(fault);
  }

  /** At once, and then once in a minute. */
  #tell(message: string, reason: string): void {
    const { clock, trace } = this.#options;
    const now = clock.monotonicMs();
    if (now - this.#toldMs < TELL_MS) return;
    this.#toldMs = now;
    trace.event("warn", message, { reason });
  }

  #isGone(): boolean {
    return this.#state === "gone";
  }

  #wake(): void {
    this.#isWoken = true;
    this.#onWake();
  }

  /** A wake that came during the step before it ends it at once. */
  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onWake = () => {
        this.#isWoken = false;
        this.#onWake = () => undefined;
        this.#timer?.cancel();
        resolve();
      };
      if (this.#isWoken || pauseMs === 0) this.#onWake();
      else if (pauseMs < Infinity) {
        this.#timer = this.#options.clock.after(pauseMs, () => this.#onWake());
      }
    });
  }
}

const REFUSED_HINT = "compare node.id, the cluster's id and the versions of the nodes";

export function takenFault(nodeId: number, how: string): BrokerFault {
  return new BrokerFault(
    "IN_USE",
    `Cannot be node ${nodeId}: another node with this id is ${how}`,
    "give each node a node.id of its own",
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
