/** Whose settings are asked for: a topic's, a broker's, or those of all brokers at once. */
import type { Context } from "./context.ts";
import { Failure, failureOf, usageFailure } from "./failure.ts";
import { requireWhole } from "./quantity.ts";
import type { Client } from "./session.ts";
import { nearest } from "./suggest.ts";

export type ConfigResource =
  | { readonly type: "topic"; readonly name: string }
  | { readonly type: "broker"; readonly name: string }
  | { readonly type: "cluster" };

type ConfigResult = Awaited<ReturnType<Client["admin"]["describeBrokerConfigs"]>>;
export type ConfigEntry = ConfigResult["configs"][number];

const BROKER_ID_MAX = 2 ** 31 - 1;

/** What --topic, --broker or --cluster name; undefined where none was given. */
export function resourceOf({ flags }: Context): ConfigResource | undefined {
  const given = ["topic", "broker", "cluster"].filter((name) => flags.isSet(name));
  if (given.length > 1) {
    throw usageFailure(`Give one of ${given.map((name) => `--${name}`).join(" and ")}, not both`);
  }
  const topic = flags.text("topic");
  if (topic === "") throw usageFailure("Empty name for --topic");
  if (topic !== undefined) return { type: "topic", name: topic };
  const broker = flags.text("broker");
  if (broker !== undefined) {
    return { type: "broker", name: String(requireWhole(broker, "broker", [0, BROKER_ID_MAX])) };
  }
  return flags.isSet("cluster") ? { type: "cluster" } : undefined;
}

/** "topic orders", "broker 1", "the cluster". */
export function resourceText(resource: ConfigResource): string {
  return resource.type === "cluster" ? "the cluster" : `${resource.type} ${resource.name}`;
}

/** Its settings, those of the controller where no resource is named. Throws where there is none. */
export async function configsOf(
  client: Client,
  resource: ConfigResource,
  isDetailed = false,
): Promise<readonly ConfigEntry[]> {
  const { admin } = client;
  const options = { isDetailed };
  const ask = async (): Promise<ConfigResult | undefined> => {
    switch (resource.type) {
      case "topic":
        return (await admin.describeConfigs([resource.name], options))[0];
      case "broker":
        await requireBroker(client, Number(resource.name));
        return await admin.describeBrokerConfigs(Number(resource.name), options);
      case "cluster":
        return await admin.describeClusterConfigs(options);
    }
  };
  const result = await ask();
  if (result?.error !== undefined) throw failureOf(result.error);
  return result?.configs ?? [];
}

/** Throws where the cluster has no such broker. */
export async function requireBroker(client: Client, brokerId: number): Promise<void> {
  const ids = (await client.admin.describeCluster()).brokers.map((broker) => broker.brokerId);
  if (ids.includes(brokerId)) return;
  const hint = `The brokers of this cluster are ${ids.join(", ")}`;
  throw new Failure("NOT_FOUND", `Cannot find broker ${brokerId}`, { hint });
}

/** The broker that speaks for the cluster. */
export async function anyBroker(client: Client): Promise<ConfigResource> {
  const { brokers, controllerId } = await client.admin.describeCluster();
  const known = brokers.some(({ brokerId }) => brokerId === controllerId);
  const brokerId = known ? controllerId : brokers[0]?.brokerId ?? controllerId;
  return { type: "broker", name: String(brokerId) };
}

/** The setting of that name. Throws where there is none, with the name that was probably meant. */
export function requireSetting(
  configs: readonly ConfigEntry[],
  name: string,
  resource: ConfigResource,
): ConfigEntry {
  const found = configs.find((config) => config.name === name);
  if (found !== undefined) return found;
  const other = nearest(name, configs.map((config) => config.name));
  throw new Failure("INVALID_CONFIG", `Unknown setting '${name}' of ${resourceText(resource)}`, {
    hint: other === undefined
      ? `${listCommand(resource)} lists the settings there are`
      : `Did you mean '${other}'?`,
  });
}

function listCommand(resource: ConfigResource): string {
  if (resource.type === "cluster") return "mq config get";
  return `mq config get --${resource.type} ${resource.name}`;
}
