/** `mq cluster remove-voter`: a node votes no longer; it may go on as a broker. */
import {
  clusterFailure,
  knownId,
  nodeIds,
  type QuorumDescription,
  type QuorumReplica,
} from "../cluster_admin.ts";
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { ExitCode } from "../exit_code.ts";
import { Failure } from "../failure.ts";
import { tellOutcomes } from "../outcomes.ts";
import { withClient } from "../session.ts";

const FIXED_HINT =
  "Voters that stand in the settings of Apache Kafka (controller.quorum.voters) cannot be changed";

export const clusterRemoveVoter: CommandSpec = {
  path: "cluster remove-voter",
  summary: "Take a node out of the voters of the metadata quorum",
  arguments: [{ name: "NODE" }],
  flags: [
    {
      name: "directory-id",
      value: "ID",
      summary: "only the voter with this disk (the one that mq cluster quorum shows)",
    },
    { name: "yes", short: "y", summary: "do not ask" },
    { name: "dry-run", summary: "tell who would be removed, but remove nobody" },
  ],
  details: [
    "A majority of the voters that remain must be alive. A voter that has lost its disk is removed, " +
    "started with an empty directory, and added again: its new disk has an id of its own.",
  ],
  examples: [
    ["A node that goes away", "mq cluster remove-voter 3 --yes"],
    ["A node with a new disk", "mq cluster remove-voter 3 --yes && mq cluster add-voter 3"],
  ],
  async run(context): Promise<ExitCode> {
    const [nodeId = 0] = nodeIds(context);
    const isDryRun = context.flags.isSet("dry-run");
    if (!isDryRun) await confirm(context, `Remove voter ${nodeId}`);
    return await withClient(context, async (client) => {
      const { admin } = client;
      const quorum = await admin.describeQuorum().catch((error: unknown) => {
        throw clusterFailure(error);
      });
      const directoryId = voterOf(quorum, nodeId, context.flags.text("directory-id"));
      const known = knownId(directoryId);
      if (!isDryRun) {
        await admin.removeVoter({ nodeId, directoryId }).catch((error: unknown) => {
          throw clusterFailure(error, known === null ? FIXED_HINT : undefined);
        });
      }
      return await tellOutcomes(context, [{
        name: String(nodeId),
        failure: undefined,
        facts: { removed: !isDryRun, directoryId: known },
        said: `${isDryRun ? "would remove" : "removed"} voter ${nodeId}, directory ${known ?? "-"}`,
      }]);
    });
  },
};

/** The directory id of the voter. Throws where there is none, or none is left behind. */
function voterOf(
  { voters }: QuorumDescription,
  nodeId: number,
  wanted?: string,
): QuorumReplica["directoryId"] {
  const found = voters.find((voter) =>
    voter.nodeId === nodeId && (wanted === undefined || wanted === voter.directoryId)
  );
  if (found === undefined) {
    const ids = voters.map((voter) => `${voter.nodeId} (${knownId(voter.directoryId) ?? "-"})`);
    throw new Failure("VOTER_NOT_FOUND", `Cannot remove node ${nodeId}: it is no such voter`, {
      hint: `The voters are ${ids.join(", ")}`,
    });
  }
  if (voters.length > 1) return found.directoryId;
  throw new Failure("INVALID_REQUEST", `Cannot remove node ${nodeId}: it is the only voter`, {
    hint: "Add another voter first: mq cluster add-voter",
  });
}
