/** The flags of `mq consume` that speak of groups and of commands for records, and what they mean. */
import type { FlagSpec } from "./command_spec.ts";
import { usageFailure } from "./failure.ts";
import type { Flags } from "./parse_line.ts";
import { requireWhole } from "./quantity.ts";

export const GROUP_FLAGS: readonly FlagSpec[] = [
  {
    name: "group",
    short: "g",
    value: "GROUP",
    summary: "read as a member of this group, from where it has come to",
  },
  {
    name: "commit",
    value: "WHEN",
    choices: ["auto", "batch", "none"],
    summary: "auto (every 5 s and at the end; the default), batch (behind each batch), none",
  },
  {
    name: "group-protocol",
    value: "PROTOCOL",
    choices: ["classic", "consumer"],
    summary: "classic (the default), or consumer (KIP-848, Kafka 4.0 and mq)",
  },
  {
    name: "assignor",
    value: "NAME",
    summary: "who gets what: cooperative-sticky, range, roundrobin; of consumer: uniform, range",
  },
  {
    name: "group-instance-id",
    value: "ID",
    summary: "a static member: back within the session timeout, it has its partitions again",
  },
];

export const EXEC_FLAGS: readonly FlagSpec[] = [
  {
    name: "exec",
    value: "CMD",
    summary: "run CMD (by sh -c) for each record, its value on stdin; 0 means done",
  },
  { name: "retries", value: "N", summary: "try CMD N times more before a record is given up (0)" },
  { name: "dlq", value: "TOPIC", summary: "set records aside there that are given up, and go on" },
  {
    name: "dlq-max",
    value: "N",
    summary: "stop where more than N records in a row would be set aside (100)",
  },
];

type AssignorName = "cooperative-sticky" | "range" | "roundrobin";
const CLASSIC_ASSIGNORS: readonly AssignorName[] = ["cooperative-sticky", "range", "roundrobin"];

/** As what member of which group. */
export interface Membership {
  readonly groupId: string;
  readonly commit: "auto" | "batch" | "none";
  readonly protocol: "classic" | "consumer";
  readonly assignor: string | undefined;
  readonly instanceId: string | undefined;
}

/** Undefined without -g. Throws a usage failure. */
export function membershipOf(flags: Flags): Membership | undefined {
  const groupId = flags.text("group");
  if (groupId === undefined) {
    rejectWithout("group", flags, GROUP_FLAGS);
    return undefined;
  }
  if (groupId === "") throw usageFailure("Empty value for --group: the name of a group is wanted");
  const instanceId = flags.text("group-instance-id");
  if (instanceId !== undefined) rejectInstanceId(instanceId);
  if (flags.isSet("partition")) {
    throw usageFailure(
      "Conflicting flags --group and --partition",
      "A group divides the partitions among its members itself; without -g, -p chooses them",
    );
  }
  const protocol = flags.text("group-protocol") === "consumer" ? "consumer" : "classic";
  if (protocol === "consumer" && groupId.trim() === "") {
    throw usageFailure(
      `Invalid value '${groupId}' for --group: brokers take no blanks alone for a name`,
      "Name the group; only --group-protocol classic knows such ones",
    );
  }
  const assignor = flags.text("assignor");
  const isKnown = CLASSIC_ASSIGNORS.some((name) => name === assignor);
  if (protocol === "classic" && assignor !== undefined && !isKnown) {
    const isServers = assignor === "uniform";
    throw usageFailure(
      `Invalid value '${assignor}' for --assignor`,
      isServers
        ? "uniform is the broker's: it needs --group-protocol consumer"
        : `Of --group-protocol classic it is one of ${CLASSIC_ASSIGNORS.join(", ")}`,
    );
  }
  return {
    groupId,
    commit: (flags.text("commit") ?? "auto") as Membership["commit"],
    protocol,
    assignor,
    instanceId,
  };
}

const SHOWN_MAX = 40;
/** Kafka's, which its brokers leave to the clients. */
const INSTANCE_ID = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;

/** The names of topics, in the length of topics. */
function rejectInstanceId(text: string): void {
  if (INSTANCE_ID.test(text)) return;
  throw usageFailure(
    `Invalid value '${text.slice(0, SHOWN_MAX)}' for --group-instance-id`,
    "At most 249 letters, digits, '.', '_' and '-'; the host's name is a good one",
  );
}

/** What --assignor says to the library. */
export function assignorOptions(
  { protocol, assignor }: Membership,
): { readonly assignors?: readonly AssignorName[]; readonly remoteAssignor?: string } {
  if (assignor === undefined) return {};
  return protocol === "consumer"
    ? { remoteAssignor: assignor }
    : { assignors: [assignor as AssignorName] };
}

/** What is done with each record in place of writing it. */
export interface Processing {
  readonly command: string;
  readonly retries: number;
  readonly deadLetterTopic: string | undefined;
  readonly deadLettersInRowMax: number;
}

const RETRIES_MAX = 1000;
const COUNT_MAX = 1_000_000_000;
const IN_ROW_MAX = 100;
/** Flags about how records are written. */
const WRITING = ["format", "delimiter", "nul", "null", "json"];

/** Undefined without --exec. Throws a usage failure. */
export function processingOf(flags: Flags, topics: readonly string[]): Processing | undefined {
  const command = flags.text("exec");
  if (command === undefined) {
    rejectWithout("exec", flags, EXEC_FLAGS);
    return undefined;
  }
  if (command.trim() === "") throw usageFailure("Empty value for --exec: a command is wanted");
  const writing = WRITING.find((name) => flags.isSet(name));
  if (writing !== undefined) {
    throw usageFailure(
      `Conflicting flags --exec and --${writing}`,
      "With --exec stdout is what the command writes; it is given the value as it is",
    );
  }
  const deadLetterTopic = flags.text("dlq");
  if (deadLetterTopic !== undefined && topics.includes(deadLetterTopic)) {
    throw usageFailure(
      `Invalid value '${deadLetterTopic}' for --dlq: records are read from there`,
      "A record that fails would come back for ever; name another topic",
    );
  }
  if (deadLetterTopic === undefined && flags.isSet("dlq-max")) {
    throw usageFailure("Flag --dlq-max needs --dlq");
  }
  const retries = flags.text("retries");
  const inRow = flags.text("dlq-max");
  return {
    command,
    retries: retries === undefined ? 0 : requireWhole(retries, "retries", [0, RETRIES_MAX]),
    deadLetterTopic,
    deadLettersInRowMax: inRow === undefined
      ? IN_ROW_MAX
      : requireWhole(inRow, "dlq-max", [1, COUNT_MAX]),
  };
}

function rejectWithout(needed: string, flags: Flags, specs: readonly FlagSpec[]): void {
  const surplus = specs.find(({ name }) => flags.isSet(name));
  if (surplus !== undefined) throw usageFailure(`Flag --${surplus.name} needs --${needed}`);
}
