/** `mq config explain`: one setting with everything that is known about it, and every losing value. */
import type { CommandSpec } from "../command_spec.ts";
import {
  type ConfigEntry,
  type ConfigResource,
  configsOf,
  requireSetting,
  resourceOf,
} from "../config_resource.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { usageFailure } from "../failure.ts";
import { withClient } from "../session.ts";
import { withUnit } from "../setting_text.ts";
import type { Table } from "../table.ts";

export const configExplain: CommandSpec = {
  path: "config explain",
  summary: "Tell where the value of a setting comes from, and what it means",
  arguments: [{ name: "NAME" }],
  flags: [
    { name: "topic", value: "TOPIC", summary: "a setting of this topic" },
    { name: "broker", value: "N", summary: "a setting of the broker with this id" },
  ],
  details: [
    "The first line of the table is in force; those below it would be, in their order, if it were " +
    "not there.",
  ],
  examples: [["Why does it keep so long?", "mq config explain --topic orders retention.ms"]],
  async run(context): Promise<ExitCode> {
    const resource = resourceOf(context);
    if (resource === undefined) throw usageFailure("Missing --topic or --broker");
    return await withClient(context, async (client) => {
      const configs = await configsOf(client, resource, true);
      const [name = ""] = context.arguments;
      await explain(context, resource, requireSetting(configs, name, resource));
      return ExitCode.Done;
    });
  },
};

interface Value {
  readonly setting: string;
  readonly value: string | null;
  readonly source: ConfigEntry["source"];
  readonly isInForce: boolean;
}

/** A broker that does not tell its synonyms still tells the value in force. */
function valuesOf({ name, value, source, synonyms }: ConfigEntry): readonly Value[] {
  const all = synonyms.length > 0 ? synonyms : [{ name, value, source }];
  return all.map((one, index) => ({
    setting: one.name,
    value: one.value,
    source: one.source,
    isInForce: index === 0,
  }));
}

async function explain(
  { printer }: Context,
  resource: ConfigResource,
  config: ConfigEntry,
): Promise<void> {
  const values = valuesOf(config);
  const standard = values.find(({ source }) => source === "DEFAULT_CONFIG")?.value ?? null;
  if (printer.isJson) {
    return await printer.printJson({
      resource,
      setting: config.name,
      value: config.value,
      source: config.source,
      type: config.type,
      default: standard,
      isReadOnly: config.isReadOnly,
      isSensitive: config.isSensitive,
      documentation: config.documentation,
      values,
    });
  }
  if (printer.format === "name") return await printer.printLines([config.name]);
  const table: Table = {
    columns: ["VALUE", "SOURCE", "SETTING"],
    rows: values.map(({ value, source, setting }) => [value, source, setting]),
  };
  if (printer.format !== "csv") {
    const { bold } = printer.out;
    const line = (head: string, text: string): string => `${bold(head)}\t${text}`;
    await printer.printLines([
      line("setting", config.name),
      line("value", shownValue(config)),
      line("source", config.source),
      line("type", config.type),
      line("default", standard ?? "-"),
      line("read-only", String(config.isReadOnly)),
      line("meaning", config.documentation === "" ? "-" : oneLine(config.documentation)),
    ]);
    await printer.print("\n");
  }
  await printer.printList({ names: [], items: [], table });
}

function shownValue({ name, value, isSensitive }: ConfigEntry): string {
  if (value === null) return isSensitive ? "(secret)" : "-";
  const short = withUnit(name, value);
  return short === undefined ? value : `${value} (${short})`;
}

/** Apache Kafka's texts are HTML, and may have lines. */
function oneLine(text: string): string {
  return text.replace(/<[^>]*>/g, "").replace(/\s+/g, " ").trim();
}
