/** Settings of one group (config resource GROUP): what may be set, what is refused, what is told. */
import { describeConfigs } from "../../../src/api/describe_configs.ts";
import { incrementalAlterConfigs } from "../../../src/api/incremental_alter_configs.ts";
import type { RequestInput } from "../../../src/api/schema.ts";
import { type Case, one, type Talk } from "./talk.ts";

const GROUP_RESOURCE = 32;
const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;
/** Within this a broker has heard of what its controller has decided. */
const METADATA_MS = 500;
const SESSION = "consumer.session.timeout.ms";
const INTERVAL = "consumer.heartbeat.interval.ms";

type Entry = readonly [name: string, value: string | null, operation?: number];

function alterBody(
  group: string,
  entries: readonly Entry[],
  validateOnly = false,
): RequestInput<typeof incrementalAlterConfigs> {
  return {
    resources: [{
      resourceType: GROUP_RESOURCE,
      resourceName: group,
      configs: entries.map(([name, value, configOperation = SET]) => ({
        name,
        configOperation,
        value,
      })),
    }],
    validateOnly,
  };
}

/** Sets what a case needs, and waits until the broker knows. */
export async function setGroupConfig(talk: Talk, entries: readonly Entry[]): Promise<void> {
  const body = alterBody(talk.group, entries);
  const { responses } = await talk.arrange(incrementalAlterConfigs, 1, body);
  if (responses[0]?.errorCode !== 0) throw new Error("Cannot set a group's config");
  await talk.pass(METADATA_MS);
}

function alter(
  talk: Talk,
  entries: readonly Entry[],
  { group = talk.group, validateOnly = false } = {},
): Promise<unknown> {
  return talk.ask(incrementalAlterConfigs, 1, alterBody(group, entries, validateOnly));
}

interface Told {
  readonly group?: string;
  readonly names?: readonly string[];
  readonly includeSynonyms?: boolean;
}

function tell(talk: Talk, told: Told = {}): Promise<unknown> {
  const { group = talk.group, names = [SESSION, INTERVAL], includeSynonyms = false } = told;
  return talk.ask(describeConfigs, 4, {
    resources: [{
      resourceType: GROUP_RESOURCE,
      resourceName: group,
      configurationKeys: [...names],
    }],
    includeSynonyms,
    includeDocumentation: false,
  });
}

/** A change that is asked for, and what is told afterwards. */
function change(title: string, entries: readonly Entry[]): Case {
  return one(`A group's settings: ${title}`, async (talk) => {
    await alter(talk, entries);
    await talk.pass(METADATA_MS);
    await tell(talk);
  });
}

export const groupConfigCases: readonly Case[] = [
  one("A group's settings: none are set", (talk) => tell(talk)),
  one("A group's settings: where they come from", async (talk) => {
    await setGroupConfig(talk, [[SESSION, "30000"]]);
    await tell(talk, { includeSynonyms: true });
  }),
  one("A group's settings: of the empty group id", async (talk) => {
    await tell(talk, { group: "" });
    await alter(talk, [[SESSION, "30000"]], { group: "" });
  }),
  one("A group's settings: a name that is none", (talk) => tell(talk, { names: ["nonsense"] })),
  change("a session", [[SESSION, "30000"]]),
  change("an interval", [[INTERVAL, "1000"]]),
  change("both", [[SESSION, "20000"], [INTERVAL, "2000"]]),
  change("one twice", [[SESSION, "20000"], [SESSION, "30000"]]),
  change("none", []),
  ...["", "abc", "-1", "0", "1.5", "999", "60001", "2147483648", " 30000 "].map((value) =>
    change(`a session of '${value}'`, [[SESSION, value]])
  ),
  change("a session of null", [[SESSION, null]]),
  ...["499", "15001", "x"].map((value) => change(`an interval of '${value}'`, [[INTERVAL, value]])),
  change("a session that is no longer than the interval", [[SESSION, "5000"]]),
  change("an interval that is as long as the session", [[SESSION, "6000"], [INTERVAL, "6000"]]),
  change("a name that nobody knows", [["nonsense", "1"]]),
  change("a name of a topic's", [["retention.ms", "1"]]),
  change("a name of the broker's", [["group.consumer.session.timeout.ms", "30000"]]),
  change("a right one beside a wrong one", [[SESSION, "30000"], [INTERVAL, "1"]]),
  change("something is appended", [[SESSION, "30000", APPEND]]),
  change("something is taken away", [[SESSION, "30000", SUBTRACT]]),
  change("an operation that is none", [[SESSION, "30000", 9]]),
  change("what is not set is deleted", [[SESSION, null, DELETE]]),
  one("A group's settings: only looked at", async (talk) => {
    await alter(talk, [[SESSION, "30000"]], { validateOnly: true });
    await alter(talk, [[SESSION, "1"]], { validateOnly: true });
    await tell(talk);
  }),
  one("A group's settings: set, and deleted", async (talk) => {
    await alter(talk, [[SESSION, "30000"], [INTERVAL, "1000"]]);
    await alter(talk, [[SESSION, null, DELETE]]);
    await talk.pass(METADATA_MS);
    await tell(talk);
  }),
];
