/** `mq cluster unregister`: forgets brokers that will not come back. */
import { clusterFailure, nodeIds } from "../cluster_admin.ts";
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, usageFailure } from "../failure.ts";
import { type Outcome, tellOutcomes } from "../outcomes.ts";
import { type Client, withClient } from "../session.ts";

export const clusterUnregister: CommandSpec = {
  path: "cluster unregister",
  summary: "Forget brokers that will not come back",
  arguments: [{ name: "NODE", isMany: true }],
  flags: [
    { name: "yes", short: "y", summary: "do not ask" },
    { name: "dry-run", summary: "tell who would be forgotten, but forget nobody" },
  ],
  details: [
    "For a broker that was stopped for good; its id may then be given to another. One that is alive " +
    "registers again. Partitions that it has a replica of keep its id in their replicas. A voter is " +
    "removed from the quorum with mq cluster remove-voter as well.",
  ],
  examples: [["A machine that is gone", "mq cluster unregister 3 --yes"]],
  async run(context): Promise<ExitCode> {
    const ids = nodeIds(context);
    if (ids.length === 0) throw usageFailure("Missing NODE: which broker?");
    const isDryRun = context.flags.isSet("dry-run");
    const noun = ids.length === 1 ? "broker" : `${ids.length} brokers:`;
    if (!isDryRun) await confirm(context, `Forget ${noun} ${ids.join(", ")}`);
    return await withClient(context, async (client) => {
      const outcomes: Outcome[] = [];
      for (const id of ids) {
        // deno-lint-ignore no-await-in-loop -- one after the other: each may need the controller anew
        outcomes.push(await forget(client, id, isDryRun));
      }
      return await tellOutcomes(context, outcomes);
    });
  },
};

async function forget(client: Client, id: number, isDryRun: boolean): Promise<Outcome> {
  const { admin } = client;
  try {
    if (isDryRun) {
      const { brokers } = await admin.describeCluster({ includesFenced: true });
      if (!brokers.some(({ brokerId }) => brokerId === id)) {
        throw new Failure("BROKER_ID_NOT_REGISTERED", `Cannot find broker ${id}`);
      }
    } else await admin.unregisterBroker(id);
    return outcomeOf(id, isDryRun);
  } catch (error) {
    return { ...outcomeOf(id, isDryRun), failure: clusterFailure(error) };
  }
}

function outcomeOf(id: number, isDryRun: boolean): Outcome {
  return {
    name: String(id),
    failure: undefined,
    facts: { unregistered: !isDryRun },
    said: `${isDryRun ? "would forget" : "forgot"} broker ${id}`,
  };
}
