/** What nodes of a world are configured with. */
import { KAFKA_PORT } from "./sim_node.ts";
import type { SimOptions } from "./sim_options.ts";

export function nodeSettings(
  options: SimOptions,
  names: readonly string[],
  index: number,
): ReadonlyMap<string, string> {
  const settings = new Map(Object.entries({
    "log.dirs": "/data",
    "mq.http.listener": "off",
    "auto.create.topics.enable": "false",
    "listeners": `PLAINTEXT://${names[index]}:${KAFKA_PORT}`,
    ...options.settings,
  }));
  if (names.length === 1) return settings;
  const voters = names.map((name, at) => `${at + 1}@${name}:${KAFKA_PORT}`);
  settings.set("node.id", String(index + 1));
  settings.set("controller.quorum.voters", voters.join(","));
  settings.set("mq.cluster.id", "simulatedCluster000000");
  return settings;
}
