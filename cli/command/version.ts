/** `mq version`: what this is, and which implementations were chosen on this machine. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { VERSION, versionLine } from "../version.ts";

export const version: CommandSpec = {
  path: "version",
  summary: "Show the version, and which native parts are in use",
  arguments: [],
  flags: [],
  examples: [["As JSON", "mq version --json"]],
  async run({ printer, io, library }: Context): Promise<ExitCode> {
    const parts = (await library()).implementations();
    if (printer.isJson) {
      await printer.printJson({ version: VERSION, platform: io.platform, implementations: parts });
    } else {
      await printer.print(versionLine(io.platform));
      if (printer.format !== "name") {
        await printer.printLines(Object.entries(parts).map(([name, kind]) => `${name}: ${kind}`));
      }
    }
    return ExitCode.Done;
  },
};
