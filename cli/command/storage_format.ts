/** `mq storage format`: makes empty directories a node's own, before it starts for the first time. */
import type { CommandSpec } from "../command_spec.ts";
import { dataPath, defaultDataDirectory } from "../data_path.ts";
import { ExitCode } from "../exit_code.ts";
import { usageFailure } from "../failure.ts";
import { requireWhole } from "../quantity.ts";

const NODE_ID_MAX = 2 ** 31 - 1;

export const storageFormat: CommandSpec = {
  path: "storage format",
  summary: "Make empty data directories for a node of a cluster (offline)",
  arguments: [{ name: "DIR", isOptional: true, isMany: true }],
  flags: [
    {
      name: "cluster-id",
      short: "t",
      value: "ID",
      summary: "the cluster; the same for all its nodes (mq storage random-id gives a fresh one)",
    },
    { name: "node-id", value: "N", summary: "the node: its node.id (1)" },
    {
      name: "ignore-formatted",
      short: "g",
      summary: "content with a directory that is this node's already",
    },
  ],
  details: [
    "It writes meta.properties, with an id of its own for each directory, and nothing else. A node " +
    "that stands alone needs none of this: it makes itself a cluster. Nothing is ever formatted over: " +
    "a directory that holds anything, or belongs to another node, is refused, and then none is touched.",
    "Without DIR it is the directory that mq broker start takes by default.",
  ],
  examples: [
    ["For three nodes", "ID=$(mq storage random-id)"],
    ["on each of them", "mq storage format --cluster-id $ID --node-id 1 /var/lib/mq"],
  ],
  async run(context): Promise<ExitCode> {
    const { flags, printer } = context;
    const clusterId = flags.text("cluster-id");
    if (clusterId === undefined) {
      throw usageFailure(
        "Missing --cluster-id: which cluster is it for?",
        "mq storage random-id gives an id for a new one; mq cluster status shows that of a running one",
      );
    }
    const directories = context.arguments.length > 0
      ? [...new Set(context.arguments.map((path) => dataPath(context, path)))]
      : [defaultDataDirectory(context)];
    const library = await context.library();
    const formatted = await library.formatStorage(library.createHostEnv(), {
      clusterId,
      nodeId: requireWhole(flags.text("node-id") ?? "1", "node-id", [0, NODE_ID_MAX]),
      directories,
      isContentWithFormatted: flags.isSet("ignore-formatted"),
    });
    if (printer.isJson) await printer.printJson(formatted);
    else if (printer.format === "name") {
      await printer.printLines(formatted.map(({ path }) => path));
    } else {
      for (const { path, nodeId, directoryId, isNew } of formatted) {
        printer.say(
          `${isNew ? "formatted" : "left as it is"} ${path}: node ${nodeId} of cluster ` +
            `${clusterId}, directory ${directoryId}`,
        );
      }
    }
    return ExitCode.Done;
  },
};
