/** RemoveRaftVoter: answered when the new set of voters is committed, or told why it is not. */
import { removeRaftVoter } from "../../api/remove_raft_voter.ts";
import { changeVoters } from "../change_voters.ts";
import { type Answer, defineHandler } from "../handler.ts";

const WAIT_MS = 10_000;

export const removeRaftVoterHandler = defineHandler({
  api: removeRaftVoter,
  isOfEveryNode: true,
  whenUndecided(_request, refusal): Answer<typeof removeRaftVoter> {
    return refusal;
  },
  handle(broker, request): Promise<Answer<typeof removeRaftVoter>> {
    const { clusterId, voterId, voterDirectoryId } = request;
    const change = { remove: { id: voterId, directoryId: voterDirectoryId } };
    return changeVoters(broker, { clusterId, change, timeoutMs: WAIT_MS, waitsForCommit: true });
  },
});
