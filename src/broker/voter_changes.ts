/** Changes of the voters as whoever asks for one sees them: begun, and done or given up. */
import type { Clock } from "../env/clock.ts";
import { isSameReplica, type Voter } from "../raft/configuration.ts";
import type { RaftStatus } from "../raft/status.ts";
import type { ChangeRefusal, VoterChange } from "../raft/voter_change.ts";
import type { RaftNode } from "../runtime/quorum/raft_node.ts";
import type { ChangeOutcome, RaftAdmin } from "./broker_context.ts";

/** A change has several steps on several nodes: how often it is looked at. */
const LOOK_MS = 20;

export class VoterChanges implements RaftAdmin {
  readonly #node: Pick<RaftNode, "status" | "changeVoters">;
  readonly #clock: Clock;

  constructor(node: Pick<RaftNode, "status" | "changeVoters">, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
  }

  status(): RaftStatus {
    return this.#node.status();
  }

  begin(change: VoterChange): "started" | ChangeRefusal {
    return this.#node.changeVoters(change);
  }

  async change(change: VoterChange, timeoutMs: number): Promise<ChangeOutcome> {
    const answer = this.begin(change);
    if (answer !== "started") return answer;
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    while (this.#clock.monotonicMs() < endMs) {
      const { role, configuration, ...status } = this.#node.status();
      const isOver = status.change === undefined && status.isConfigurationCommitted &&
        configuration.outgoing === undefined;
      // Also of a leader that has removed itself, and leads no more.
      if (isOver && isMade(configuration.voters, change)) return "done";
      if (role !== "leader") return "unknown"; // who leads now goes on with it, or not
      if (isOver) return "given-up";
      // deno-lint-ignore no-await-in-loop -- until it is over
      await new Promise<void>((resolve) => this.#clock.after(LOOK_MS, resolve));
    }
    return "unknown";
  }
}

function isMade(voters: readonly Voter[], { add, remove }: VoterChange): boolean {
  const has = (key: Parameters<typeof isSameReplica>[0]): boolean =>
    voters.some((voter) => isSameReplica(voter, key));
  return (add === undefined || has(add)) && (remove === undefined || !has(remove));
}
