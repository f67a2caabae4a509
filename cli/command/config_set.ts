/** `mq config set`: gives settings of a topic values of its own. */
import type { CommandSpec } from "../command_spec.ts";
import { changeOf, requireChanges } from "../config_changes.ts";
import { changeTarget, targetFlags } from "../config_target.ts";
import type { ExitCode } from "../exit_code.ts";

export const configSet: CommandSpec = {
  path: "config set",
  summary: "Set settings of a topic",
  arguments: [{ name: "NAME=VALUE", isMany: true }],
  flags: [...targetFlags, {
    name: "dry-run",
    summary: "have the broker check it, but change nothing",
  }],
  details: [
    "Durations and sizes may have units: retention.ms=7d, segment.bytes=64MiB. Settings of a " +
    "broker of mq are read from its file when it starts (mq broker start -c FILE, or -X), and are not " +
    "changed here; Apache Kafka's takes some with --broker N.",
  ],
  examples: [
    ["Keep ten gigabytes", "mq config set --topic orders retention.bytes=10GiB"],
    ["Only check", "mq config set --topic orders retention.ms=30d --dry-run"],
  ],
  async run(context): Promise<ExitCode> {
    const changes = context.arguments.map((text) => changeOf("set", text, "topic"));
    requireChanges(changes, "Give NAME=VALUE");
    return await changeTarget(context, changes);
  },
};
