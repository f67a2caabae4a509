/** `mq cluster features`: what the cluster may use of what its nodes can do, and raising that. */
import { clusterFailure, type FeatureChange, type FeaturesDescription } from "../cluster_admin.ts";
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure, usageFailure } from "../failure.ts";
import { tellOutcomes } from "../outcomes.ts";
import { parseAssignment, requireWhole } from "../quantity.ts";
import { type Client, withClient } from "../session.ts";
import { nearest } from "../suggest.ts";

const LEVEL_MAX = 32_767;

export const clusterFeatures: CommandSpec = {
  path: "cluster features",
  summary: "Show the levels of features, or change them behind a rolling upgrade",
  arguments: [],
  flags: [
    {
      name: "upgrade",
      value: "NAME[=LEVEL]",
      isList: true,
      summary: "raise a feature to this level, without one to the highest that is supported",
    },
    {
      name: "downgrade",
      value: "NAME=LEVEL",
      isList: true,
      summary: "lower a feature to this level, where nothing is lost by it",
    },
    { name: "dry-run", summary: "have the controller check it, but change nothing" },
  ],
  details: [
    "LEVEL is what the whole cluster uses at present; MIN and MAX are what the node that was asked " +
    "supports. metadata.version says which metadata records may be written: raise it when every node " +
    "runs the new release. Before that a node can still go back to the old one.",
  ],
  examples: [
    ["What there is", "mq cluster features"],
    ["When all nodes are upgraded", "mq cluster features --upgrade metadata.version"],
    ["Would it be taken?", "mq cluster features --upgrade metadata.version=2 --dry-run"],
  ],
  run: (context) =>
    withClient(context, async (client) => {
      try {
        const features = await client.admin.describeFeatures();
        const changes = changesOf(context, features);
        if (changes.length === 0) return await print(context, features);
        return await change(context, client, changes);
      } catch (error) {
        throw clusterFailure(error);
      }
    }),
};

async function print(
  { printer }: Context,
  { features }: FeaturesDescription,
): Promise<ExitCode> {
  const items = features.map(({ name, finalizedLevel, minVersion, maxVersion }) => ({
    feature: name,
    level: finalizedLevel,
    minSupported: minVersion,
    maxSupported: maxVersion,
  }));
  await printer.printList({
    names: items.map(({ feature }) => feature),
    items,
    table: {
      columns: ["FEATURE", "LEVEL", "MIN", "MAX"],
      rows: items.map((item) => [item.feature, item.level, item.minSupported, item.maxSupported]),
    },
  });
  return ExitCode.Done;
}

async function change(
  context: Context,
  client: Client,
  changes: readonly FeatureChange[],
): Promise<ExitCode> {
  const validateOnly = context.flags.isSet("dry-run");
  const results = await client.admin.updateFeatures(changes, { validateOnly });
  const verb = validateOnly ? "would set" : "set";
  return await tellOutcomes(
    context,
    changes.map(({ name: feature, level }) => {
      const error = results.find((result) => result.name === feature)?.error;
      return {
        name: feature,
        failure: error && clusterFailure(error),
        facts: { level, changed: error === undefined && !validateOnly },
        said: `${verb} ${feature} to ${level}`,
      };
    }),
  );
}

function changesOf(
  { flags }: Context,
  { features: known }: FeaturesDescription,
): readonly FeatureChange[] {
  const changes = [
    ...flags.list("upgrade").map((text) => changeOf(text, "upgrade", known)),
    ...flags.list("downgrade").map((text) => changeOf(text, "safe-downgrade", known)),
  ];
  const names = changes.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw usageFailure(`Feature '${twice}' is given twice`);
  if (changes.length === 0 && flags.isSet("dry-run")) {
    throw usageFailure("Nothing to try: no feature was given", "Give --upgrade or --downgrade");
  }
  return changes;
}

function changeOf(
  text: string,
  change: "upgrade" | "safe-downgrade",
  known: FeaturesDescription["features"],
): FeatureChange {
  const flag = change === "upgrade" ? "upgrade" : "downgrade";
  const isWhole = text.includes("=");
  if (!isWhole && flag === "downgrade") {
    throw usageFailure(`Invalid value '${text}' for --downgrade: NAME=LEVEL is wanted`);
  }
  const [feature, typed] = isWhole ? parseAssignment(text, flag) : [text, ""];
  const found = known.find(({ name }) => name === feature);
  if (found === undefined) {
    const other = nearest(feature, known.map(({ name }) => name));
    throw new Failure("NOT_FOUND", `Unknown feature '${feature}'`, {
      hint: other === undefined
        ? `The features are ${known.map(({ name }) => name).join(", ")}`
        : `Did you mean '${other}'?`,
    });
  }
  const level = isWhole ? requireWhole(typed, flag, [0, LEVEL_MAX]) : found.maxVersion;
  return { name: feature, level, change };
}
