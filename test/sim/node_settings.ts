/** What nodes of a world are configured with. */
import { GROUP_SETTINGS } from "./group/group_options.ts";
import { rolesOf } from "./layout.ts";
import { KAFKA_PORT } from "./sim_node.ts";
import type { SimOptions } from "./sim_options.ts";

/** `hasLostDisk`: an operator would not let such a node begin a cluster of its own again. */
export function nodeSettings(
  { layout, settings: drawn, groups, groupSettings }: SimOptions,
  names: readonly string[],
  { index, hasLostDisk }: { readonly index: number; readonly hasLostDisk: boolean },
): ReadonlyMap<string, string> {
  const settings = new Map(Object.entries({
    "log.dirs": "/data",
    "mq.http.listener": "off",
    "auto.create.topics.enable": "false",
    "listeners": `PLAINTEXT://${names[index]}:${KAFKA_PORT}`,
    ...(groups === undefined ? {} : GROUP_SETTINGS),
    ...groupSettings,
    ...drawn,
  }));
  if (names.length === 1) return settings;
  const { isBroker, mayVote } = rolesOf(layout, index);
  const roles = [...(isBroker ? ["broker"] : []), ...(mayVote ? ["controller"] : [])];
  settings.set("process.roles", roles.join(","));
  settings.set("node.id", String(index + 1));
  settings.set("mq.cluster.id", "simulatedCluster000000");
  if (layout === "grown") {
    const others = names.filter((_, at) => at !== index).map((name) => `${name}:${KAFKA_PORT}`);
    const isFirst = index === 0 && !hasLostDisk;
    if (!isFirst) settings.set("controller.quorum.bootstrap.servers", others.join(","));
    return settings;
  }
  const voters = names.flatMap((name, at) => {
    return rolesOf(layout, at).mayVote ? [`${at + 1}@${name}:${KAFKA_PORT}`] : [];
  });
  settings.set("controller.quorum.voters", voters.join(","));
  return settings;
}
