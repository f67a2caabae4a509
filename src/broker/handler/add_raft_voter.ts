/** AddRaftVoter: answered when the new set of voters is committed, or told why it is not. */
import { addRaftVoter } from "../../api/add_raft_voter.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import type { Voter } from "../../raft/configuration.ts";
import { changeVoters, refuseCluster } from "../change_voters.ts";
import { type Answer, defineHandler } from "../handler.ts";

/** A name or an address as other nodes take it; names are ASCII where they are looked up. */
const HOST = /^[!-~]{1,255}$/;
const SHOWN_MAX = 64;
/** A forwarded request is not waited for longer than that (`ControllerChannel`). */
const WAIT_MS_MAX = 12_000;

export const addRaftVoterHandler = defineHandler({
  api: addRaftVoter,
  isOfEveryNode: true,
  whenUndecided(_request, refusal): Answer<typeof addRaftVoter> {
    return refusal;
  },
  handle(broker, request): Answer<typeof addRaftVoter> | Promise<Answer<typeof addRaftVoter>> {
    const { clusterId, voterId, listeners, timeoutMs, ackWhenCommitted } = request;
    const [first] = listeners;
    const wrong = refuseCluster(broker, clusterId);
    if (wrong !== undefined) return wrong;
    if (voterId < 0) return invalid(`Invalid voter id ${voterId}`);
    const present = broker.raft?.status().configuration.voters ?? [];
    if (present.some(({ id }) => id === voterId)) return duplicate(voterId, present);
    // Zeros stand for the directory under which a broker of this id has registered.
    const directoryId = request.voterDirectoryId === ZERO_UUID
      ? broker.image.broker(voterId)?.directoryIds[0]
      : request.voterDirectoryId;
    if (directoryId === undefined) return invalid("The directory id of the voter is missing");
    if (first === undefined) return invalid("The voter has no listener");
    const { host, port } = first;
    // Nobody could dial it, and no other voter would take a configuration with it.
    if (!HOST.test(host) || port === 0) return invalid(`Invalid listener ${shown(host)}:${port}`);
    const change = { add: { id: voterId, directoryId, host, port } };
    const waitMs = timeoutMs > 0 ? Math.min(timeoutMs, WAIT_MS_MAX) : WAIT_MS_MAX;
    return changeVoters(broker, {
      clusterId,
      change,
      timeoutMs: waitMs,
      waitsForCommit: ackWhenCommitted,
    });
  },
});

/**
 * Whatever its directory and its address: where a voter is found it tells itself, and one that has lost
 * its disk is removed first (kafka: AddVoterHandler.handleAddVoterRequest).
 */
function duplicate(voterId: number, voters: readonly Voter[]): Answer<typeof addRaftVoter> {
  const ids = voters.map(({ id }) => id).join(", ");
  return {
    errorCode: ErrorCode.DuplicateVoter,
    errorMessage:
      `Node ${voterId} is part of the set of voters [${ids}] already: one that has lost ` +
      "its disk is removed first.",
  };
}

function invalid(errorMessage: string): Answer<typeof addRaftVoter> {
  return { errorCode: ErrorCode.InvalidRequest, errorMessage };
}

function shown(host: string): string {
  return JSON.stringify(host.slice(0, SHOWN_MAX));
}
