/** A small command table for tests of the grammar: letters mean different things by command. */
import type { CommandSpec } from "../../cli/command_spec.ts";
import { globalFlags } from "../../cli/global_flags.ts";
import type { Grammar } from "../../cli/normalise.ts";

function command(path: string, parts: Partial<CommandSpec>): CommandSpec {
  return {
    path,
    summary: `does ${path}`,
    arguments: [],
    flags: [],
    examples: [],
    run: () => Promise.resolve(0),
    ...parts,
  };
}

export const sampleGrammar: Grammar = {
  globalFlags,
  commands: [
    command("produce", {
      arguments: [{ name: "TOPIC" }, { name: "VALUE", isOptional: true, isMany: true }],
      flags: [
        { name: "key", short: "k", value: "TEXT", summary: "key" },
        { name: "header", short: "H", value: "NAME:VALUE", isList: true, summary: "header" },
        { name: "partition", short: "p", value: "N", summary: "partition" },
        { name: "nul", short: "0", summary: "NUL" },
        { name: "set", short: "X", value: "NAME=VALUE", isList: true, summary: "setting" },
        {
          name: "compression",
          short: "z",
          value: "CODEC",
          choices: ["none", "gzip"],
          summary: "z",
        },
      ],
    }),
    command("consume", {
      arguments: [{ name: "TOPIC" }],
      flags: [
        { name: "offset", short: "o", value: "RANGE", summary: "range" },
        { name: "partition", short: "p", value: "LIST", summary: "partitions" },
        { name: "format", short: "f", value: "FORMAT", summary: "format" },
      ],
    }),
    command("topic list", {
      aliases: ["topic ls", "topics"],
      arguments: [{ name: "GLOB", isOptional: true }],
    }),
    command("topic create", {
      arguments: [{ name: "NAME", isMany: true }],
      flags: [
        { name: "partitions", short: "p", value: "N", summary: "partitions" },
        { name: "if-not-exists", summary: "content" },
      ],
    }),
    command("help", { arguments: [{ name: "TOPIC", isOptional: true, isMany: true }] }),
  ],
};
