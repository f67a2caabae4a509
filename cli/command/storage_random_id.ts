/** `mq storage random-id`: a fresh id for a cluster, in Kafka's form. */
import type { CommandSpec } from "../command_spec.ts";
import { ExitCode } from "../exit_code.ts";

export const storageRandomId: CommandSpec = {
  path: "storage random-id",
  aliases: ["storage random-uuid"],
  summary: "Print a fresh id for a cluster",
  arguments: [],
  flags: [],
  details: [
    "16 random bytes as 22 letters of base64url, as kafka-storage random-uuid prints them.",
  ],
  examples: [["For three nodes", "ID=$(mq storage random-id)"]],
  async run({ printer, library }): Promise<ExitCode> {
    const { randomClusterId, createHostEnv } = await library();
    const id = randomClusterId(createHostEnv());
    if (printer.isJson) await printer.printJson({ id });
    else await printer.printLines([id]);
    return ExitCode.Done;
  },
};
