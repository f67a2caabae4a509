/** `mq config get`: settings in force, with where each value comes from. */
import type { CommandSpec } from "../command_spec.ts";
import { anyBroker, configsOf, requireSetting, resourceOf } from "../config_resource.ts";
import { ExitCode } from "../exit_code.ts";
import { withClient } from "../session.ts";

export const configGet: CommandSpec = {
  path: "config get",
  summary: "Show settings of a topic or a broker",
  arguments: [{ name: "NAME", isOptional: true, isMany: true }],
  flags: [
    { name: "topic", value: "TOPIC", summary: "settings of this topic" },
    {
      name: "broker",
      value: "N",
      summary: "settings of the broker with this id (the controller's)",
    },
    { name: "cluster", summary: "only what was set for all brokers at once" },
    { name: "changed", summary: "leave out what has its default" },
  ],
  details: [
    "The source of a value is Kafka's word for it: DYNAMIC_TOPIC_CONFIG is the topic's own, " +
    "STATIC_BROKER_CONFIG stands in a broker's file, DEFAULT_CONFIG is what nobody has set.",
  ],
  examples: [
    ["What a topic has of its own", "mq config get --topic orders --changed"],
    ["One value", "mq config get --topic orders retention.ms --json | jq -r '.[].value'"],
    ["A broker's file, as it is in force", "mq config get --broker 1 --changed"],
  ],
  async run(context): Promise<ExitCode> {
    const given = resourceOf(context);
    return await withClient(context, async (client) => {
      const { printer, flags } = context;
      const resource = given ?? await anyBroker(client);
      const configs = await configsOf(client, resource);
      const names = [...new Set(context.arguments)];
      const wanted = names.length === 0
        ? configs
        : names.map((name) => requireSetting(configs, name, resource));
      const items = wanted
        .filter(({ source }) => !flags.isSet("changed") || source !== "DEFAULT_CONFIG")
        .map(({ name, value, source, type, isReadOnly, isSensitive }) => ({
          name,
          value,
          source,
          type,
          isReadOnly,
          isSensitive,
        }));
      const isWide = printer.format === "wide";
      await printer.printList({
        names: items.map(({ name }) => name),
        items,
        table: {
          columns: ["SETTING", "VALUE", "SOURCE", ...(isWide ? ["TYPE", "READ-ONLY"] : [])],
          rows: items.map((item) => [
            item.name,
            item.value,
            item.source,
            ...(isWide ? [item.type, item.isReadOnly] : []),
          ]),
        },
      });
      return ExitCode.Done;
    });
  },
};
