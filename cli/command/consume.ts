/** `mq consume`: reads records of a range of offsets, or follows; alone or as a member of a group. */
import type { CommandSpec } from "../command_spec.ts";
import { Consumption } from "../consumption.ts";
import { EXEC_FLAGS, GROUP_FLAGS } from "../group_flags.ts";

export const consume: CommandSpec = {
  path: "consume",
  summary: "Read records: a range of offsets or times, or follow",
  arguments: [{ name: "TOPIC", isMany: true }],
  flags: [
    {
      name: "offset",
      short: "o",
      value: "RANGE",
      summary:
        "which records: start, end, N, -N, A:B, @TIME, … (mq help offsets); end where left out",
    },
    {
      name: "until-end",
      short: "e",
      summary: "stop at the end as it is now; without -o from the start",
    },
    { name: "num", short: "n", value: "N", summary: "stop after so many records" },
    { name: "partition", short: "p", value: "LIST", summary: "only these partitions: 0,2,4-6" },
    {
      name: "format",
      short: "f",
      value: "FORMAT",
      summary: "value, kv, json, or a template: '%t %p %o %k %v\\n' (mq help formatting)",
    },
    {
      name: "delimiter",
      short: "D",
      value: "SEP",
      summary: "what ends a record, in place of newline",
    },
    { name: "nul", short: "0", summary: "a NUL ends a record, for xargs -0" },
    {
      name: "null",
      value: "TEXT",
      summary: "how a null key or value is written; nothing where left out",
    },
    { name: "read-committed", summary: "leave out records of open and aborted transactions" },
    ...GROUP_FLAGS,
    ...EXEC_FLAGS,
  ],
  details: [
    "Without -o it starts at the end and follows. A range A:B ends by itself, and B is not included; " +
    "a B that is an offset beyond the end is waited for. Partitions are read side by side: records of " +
    "one partition keep their order.",
    "With -g the members of a group divide the partitions among themselves, and each goes on where the " +
    "group has committed; -o says where a partition begins that has no commit (start). What reached " +
    "stdout is committed, no more: also by SIGINT, SIGTERM and -n, and nothing more where the reader of " +
    "a pipe has gone.",
    "With --exec a record is done when CMD has ended with 0. CMD has MQ_TOPIC, MQ_PARTITION, MQ_OFFSET, " +
    "MQ_TIMESTAMP, MQ_KEY, MQ_HEADERS (JSON) and MQ_ATTEMPT; MQ_TOMBSTONE=1 is a null value. A failing " +
    "CMD is tried again behind 0.2 s, 0.4 s, 0.8 s …; then the record goes to --dlq, with the headers " +
    "mq-dlq-topic, -partition, -offset, -error and -attempts, or ends the command with 1. mq dlq " +
    "redrive puts it back.",
    "--timeout ends it; that is an error (5) where -n or the end of a range was not reached. -n that " +
    "a range cannot fill is the same error.",
    "A broker that is away is waited for, half a minute at most; after a few seconds stderr says so. A " +
    "batch that is damaged on its disk, or a log that cannot be read, is an error (1): what lies " +
    "before it was written, and -o N reads on behind it. mq log verify and mq log repair help on the " +
    "machine of the broker.",
  ],
  examples: [
    ["Everything, then stop", "mq consume orders -o start:end"],
    ["Follow, as tail -f", "mq consume logs"],
    ["The last ten as JSON", "mq consume orders -o -10:end -f json | jq ."],
    ["An hour of yesterday", "mq consume orders -o @2026-01-02T09:00Z:+1h"],
    ["Wait for the next record", "mq consume orders -n 1 --timeout 10s"],
    ["Values that hold newlines", "mq consume files -o start:end -0 | xargs -0 -n1 process"],
    [
      "A worker; start more of them for more speed",
      "mq consume jobs -g workers --exec './work.sh'",
    ],
    [
      "One that sets aside what fails",
      "mq consume jobs -g workers --exec './work.sh' --retries 2 --dlq jobs.dlq",
    ],
  ],
  run: (context) => new Consumption(context).run(),
};
