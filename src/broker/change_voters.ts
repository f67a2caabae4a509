/** Changing who votes in the metadata quorum, for those who add a voter and those who remove one. */
import { ErrorCode } from "../api/error_code.ts";
import type { VoterChange } from "../raft/voter_change.ts";
import type { BrokerContext, ChangeOutcome } from "./broker_context.ts";

export interface VotersChanged {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

/** Codes and words are Kafka's where it has the case (kafka: AddVoterHandler, RemoveVoterHandler). */
const REFUSALS: Readonly<Record<Exclude<ChangeOutcome, "done">, readonly [ErrorCode, string]>> = {
  "not-leader": [ErrorCode.NotController, "No controller of the cluster is active now."],
  "not-ready": [ErrorCode.RequestTimedOut, "The active controller has only just been elected."],
  "change-in-progress": [
    ErrorCode.RequestTimedOut,
    "Request timed out waiting for leader to handle previous voter change request.",
  ],
  "already-a-voter": [ErrorCode.DuplicateVoter, "The node is a voter already."],
  "duplicate-id": [
    ErrorCode.DuplicateVoter,
    "A node with this id, and with another directory, is a voter already: remove it first.",
  ],
  "not-a-voter": [
    ErrorCode.VoterNotFound,
    "The node, with this directory, is no voter of the quorum.",
  ],
  "last-voter": [ErrorCode.InvalidRequest, "The last voter of a quorum cannot be removed."],
  "too-many-voters": [ErrorCode.InvalidRequest, "The quorum has as many voters as it can have."],
  "given-up": [
    ErrorCode.RequestTimedOut,
    "The new voter could not be reached, or did not catch up: the voters are as before.",
  ],
  "unknown": [
    ErrorCode.RequestTimedOut,
    "The change was begun and is not done yet: look at the quorum before you ask again.",
  ],
  "nothing-to-do": [ErrorCode.InvalidRequest, "The request changes nothing."],
};

export interface VotersRequest {
  readonly clusterId: string | null;
  readonly change: VoterChange;
  readonly timeoutMs: number;
  /** False: answered when the change has begun. */
  readonly waitsForCommit: boolean;
}

export async function changeVoters(
  broker: BrokerContext,
  { clusterId, change, timeoutMs, waitsForCommit }: VotersRequest,
): Promise<VotersChanged> {
  const wrong = refuseCluster(broker, clusterId);
  if (wrong !== undefined) return wrong;
  if (broker.raft === undefined) return refused("not-leader");
  const outcome = waitsForCommit
    ? await broker.raft.change(change, timeoutMs)
    : broker.raft.begin(change);
  if (outcome === "done" || outcome === "started") {
    return { errorCode: ErrorCode.None, errorMessage: null };
  }
  return refused(outcome);
}

function refused(reason: Exclude<ChangeOutcome, "done">): VotersChanged {
  const [errorCode, errorMessage] = REFUSALS[reason];
  return { errorCode, errorMessage };
}

export function refuseCluster(
  broker: BrokerContext,
  clusterId: string | null,
): VotersChanged | undefined {
  if (clusterId === null || clusterId === broker.clusterId) return undefined;
  return {
    errorCode: ErrorCode.InconsistentClusterId,
    errorMessage: `This is cluster ${broker.clusterId}, not ${clusterId}.`,
  };
}
