/**
 * A controller without a vote: when it follows the metadata like a node that is only a broker, and what it
 * says of that.
 *
 *     waiting to be added ──► learner ──► voter ──► removed
 *     follows                 the quorum sends       follows
 *
 * Both sides feed the same image (`AppliedImage`), so that nothing stops where one takes over from the
 * other: the follower ends when the own log has come as far as the image. A voter that hears of no leader
 * for a while follows as well: it may have been removed while it was away, and nobody would tell it.
 * Not here: adding and removing voters (`src/raft`), what is asked of whom (`ControllerChannel`).
 */
import type { Clock, Timer } from "../env/clock.ts";
import type { Trace } from "../env/trace.ts";
import type { Configuration, ReplicaKey, Voter } from "../raft/configuration.ts";
import { isSameReplica } from "../raft/configuration.ts";
import type { MetadataFollower } from "../runtime/quorum/metadata_follower.ts";
import type { MetadataQuorum } from "../runtime/quorum/metadata_quorum.ts";

export interface ObservingOptions {
  readonly quorum: MetadataQuorum;
  readonly self: ReplicaKey;
  readonly clock: Clock;
  readonly trace: Trace;
  /** One that is not started, and feeds the quorum's image. */
  newFollower(): MetadataFollower;
}

export type Membership = "voter" | "learner" | "none";

/** Longer than an election takes. */
const LEADERLESS_MS = 2000;

export class Observing {
  readonly #options: ObservingOptions;
  #follower: MetadataFollower | undefined;
  #membership: Membership | undefined;
  #leaderlessSinceMs: number | undefined;
  #timer: Timer | undefined;
  #isStarted = false;
  #isStopped = false;

  constructor(options: ObservingOptions) {
    this.#options = options;
    const { node } = options.quorum;
    node.onSoftState(() => this.#look());
    node.onCommitted(() => this.#look());
  }

  start(): void {
    this.#isStarted = true;
    this.#look();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#follower?.stop();
  }

  /** Who leads, as the controller that is followed has it. */
  leader(): { readonly id: number; readonly term: number } | undefined {
    return this.#follower?.leader();
  }

  /** By the newest configuration that is known here, of the own log or of what was followed. */
  membership(): Membership {
    const { self } = this.#options;
    const { voters, outgoing = [], learners } = this.configuration();
    const has = (list: readonly Voter[]): boolean => list.some((one) => isSameReplica(one, self));
    if (has(voters) || has(outgoing)) return "voter";
    return has(learners) ? "learner" : "none";
  }

  configuration(): Configuration {
    const { node, state } = this.#options.quorum;
    const { configuration, commitOffset } = node.status();
    const isAhead = state.appliedOffset > commitOffset;
    return isAhead ? state.configuration ?? configuration : configuration;
  }

  #look(): void {
    if (!this.#isStarted || this.#isStopped) return;
    const membership = this.membership();
    this.#tell(membership);
    this.#measure();
    if (membership === "none" || this.#isForgotten()) this.#follow();
    else if (this.#isServed()) this.#leave();
  }

  #measure(): void {
    const { quorum, clock } = this.#options;
    if (quorum.leader() !== undefined || quorum.node.votesAlone) {
      this.#leaderlessSinceMs = undefined;
      this.#timer?.cancel();
    } else if (this.#leaderlessSinceMs === undefined) {
      this.#leaderlessSinceMs = clock.monotonicMs();
      this.#timer = clock.after(LEADERLESS_MS, () => this.#look());
    }
  }

  #isForgotten(): boolean {
    const now = this.#options.clock.monotonicMs();
    return now - (this.#leaderlessSinceMs ?? now) >= LEADERLESS_MS;
  }

  /** The quorum feeds the image, and there is no gap. */
  #isServed(): boolean {
    const { quorum } = this.#options;
    return quorum.leader() !== undefined &&
      quorum.node.committedUpTo >= quorum.state.appliedOffset;
  }

  #follow(): void {
    if (this.#follower !== undefined) return;
    this.#follower = this.#options.newFollower();
    this.#follower.start();
  }

  #leave(): void {
    this.#follower?.stop();
    this.#follower = undefined;
  }

  #tell(membership: Membership): void {
    const before = this.#membership;
    if (membership === before) return;
    this.#membership = membership;
    const { trace, self: { id: nodeId, directoryId } } = this.#options;
    if (membership === "none") {
      const add = `mq cluster add-voter ${nodeId}`;
      const isOther = this.configuration().voters.some(({ id }) => id === nodeId);
      if (isOther) {
        const message = "no voter with this directory, but with another one: follows the quorum";
        const remedy = `mq cluster remove-voter ${nodeId} && ${add}`;
        trace.event("warn", message, { nodeId, directoryId, remedy });
      } else if (before === undefined) {
        const message = "no voter of the metadata quorum: follows it, and waits to be added";
        trace.event("info", message, { nodeId, directoryId, remedy: add });
      } else {
        const message = "removed from the metadata quorum: goes on following it";
        trace.event("warn", message, { nodeId, directoryId, remedy: add });
      }
    } else if (before !== undefined) {
      trace.event("info", `is a ${membership} of the metadata quorum now`, { nodeId });
    }
  }
}
