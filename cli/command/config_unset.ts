/** `mq config unset`: takes settings of a topic back to what the broker has for all topics. */
import type { CommandSpec } from "../command_spec.ts";
import { type Change, requireChanges } from "../config_changes.ts";
import { changeTarget, targetFlags } from "../config_target.ts";
import type { ExitCode } from "../exit_code.ts";

export const configUnset: CommandSpec = {
  path: "config unset",
  summary: "Take settings of a topic back to their defaults",
  arguments: [{ name: "NAME", isMany: true }],
  flags: [...targetFlags, {
    name: "dry-run",
    summary: "have the broker check it, but change nothing",
  }],
  examples: [["As the broker has it", "mq config unset --topic orders retention.ms"]],
  async run(context): Promise<ExitCode> {
    const changes = context.arguments.map((name): Change => ({ name, operation: "delete" }));
    requireChanges(changes, "Give NAME");
    return await changeTarget(context, changes);
  },
};
