/** Flags that every command has. A command's own flag of the same name or letter goes before. */
import type { FlagSpec } from "./command_spec.ts";

export const OUTPUT_FORMATS = ["text", "wide", "json", "ndjson", "csv", "name"] as const;

export const globalFlags: readonly FlagSpec[] = [
  {
    name: "brokers",
    short: "b",
    aliases: ["bootstrap-server"],
    value: "LIST",
    summary: "where to connect: HOST:PORT,… (MQ_BROKERS; else 127.0.0.1:9092)",
  },
  {
    name: "format",
    short: "f",
    value: "FORMAT",
    choices: OUTPUT_FORMATS,
    summary: "form of the output: text, wide, json, ndjson, csv, name (MQ_FORMAT)",
  },
  { name: "json", summary: "the same as --format json; errors are JSON on stdout as well" },
  { name: "no-header", summary: "leave out the line of column names" },
  { name: "quiet", short: "q", summary: "say nothing on stderr but errors" },
  { name: "verbose", short: "v", summary: "say more on stderr" },
  {
    name: "color",
    value: "WHEN",
    choices: ["auto", "always", "never"],
    summary: "colours: auto, always, never (NO_COLOR, FORCE_COLOR)",
  },
  {
    name: "timeout",
    value: "DURATION",
    summary: "give up after this long, with exit code 5 (MQ_TIMEOUT)",
  },
  { name: "no-input", summary: "never ask; fail where a question would be needed (MQ_NO_INPUT)" },
  { name: "version", short: "V", summary: "show the version" },
  { name: "help", short: "h", summary: "show help for this command" },
];
