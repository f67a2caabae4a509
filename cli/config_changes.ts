/**
 * Changing settings of topics and brokers, for `topic alter`, `config set` and `config unset`: what was
 * asked for, what the brokers make of it, and how it is told.
 */
import { requireBroker, requireSetting } from "./config_resource.ts";
import type { Context } from "./context.ts";
import type { ExitCode } from "./exit_code.ts";
import { Failure, failureOf, usageFailure } from "./failure.ts";
import { type Outcome, tellOutcomes } from "./outcomes.ts";
import { parseAssignment } from "./quantity.ts";
import { type Client, withClient } from "./session.ts";
import { settingText, shownSetting } from "./setting_text.ts";
import { nearest } from "./suggest.ts";

export interface Change {
  readonly name: string;
  readonly operation: "set" | "delete" | "append" | "subtract";
  readonly value?: string;
}

/** `NAME=VALUE` with a value in any unit; `place` is the flag it came by. */
export function changeOf(
  operation: "set" | "append" | "subtract",
  typed: string,
  place: string,
): Change {
  const [name, value] = parseAssignment(typed, place);
  return { name, operation, value: operation === "set" ? settingText(name, value) : value };
}

/** Throws a usage failure where nothing is to be changed, or one setting twice. */
export function requireChanges(changes: readonly Change[], hint: string): void {
  if (changes.length === 0) throw usageFailure("Nothing to change: no setting was given", hint);
  const names = changes.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw usageFailure(`Setting '${twice}' is given twice`);
}

/** Makes the changes in every topic, or only has them checked, and tells what became of each. */
export async function changeTopics(
  context: Context,
  topics: readonly string[],
  changes: readonly Change[],
): Promise<ExitCode> {
  const validateOnly = context.flags.isSet("dry-run");
  const known = (await context.library()).BrokerSettings.ofTopics.map(({ name }) => name);
  return await withClient(context, async (client) => {
    await rejectUnknownUnsets(client, topics, changes);
    const resources = topics.map((name) => ({ name, changes }));
    const results = await client.admin.alterTopicConfigs(resources, { validateOnly });
    return await tellOutcomes(
      context,
      results.map(({ name, error }): Outcome => {
        const failure = error && withSuggestion(failureOf(error), changes, known);
        return outcomeOf({ type: "topic", name, failure, changes, validateOnly });
      }),
    );
  });
}

/** Makes the changes in a broker, where that is one whose settings can be changed. */
export async function changeBroker(
  context: Context,
  name: string,
  changes: readonly Change[],
): Promise<ExitCode> {
  const validateOnly = context.flags.isSet("dry-run");
  return await withClient(context, async (client) => {
    await requireBroker(client, Number(name));
    const { error } = await client.admin.alterBrokerConfigs(Number(name), changes, {
      validateOnly,
    });
    const failure = error && withBrokerHint(failureOf(error));
    return await tellOutcomes(context, [
      outcomeOf({ type: "broker", name, failure, changes, validateOnly }),
    ]);
  });
}

/**
 * A broker takes back a setting that does not exist without a word, mq's and Kafka's alike. Those that
 * a topic has are asked for; where none of the topics is there, the change itself tells so.
 */
async function rejectUnknownUnsets(
  client: Client,
  topics: readonly string[],
  changes: readonly Change[],
): Promise<void> {
  const unsets = changes.filter(({ operation }) => operation === "delete");
  if (unsets.length === 0) return;
  const described = await client.admin.describeConfigs(topics);
  const found = described.find(({ error }) => error === undefined);
  if (found === undefined) return;
  const resource = { type: "topic", name: found.name } as const;
  for (const { name } of unsets) requireSetting(found.configs, name, resource);
}

interface Changed {
  readonly type: "topic" | "broker";
  readonly name: string;
  readonly failure: Failure | undefined;
  readonly changes: readonly Change[];
  readonly validateOnly: boolean;
}

function outcomeOf({ type, name, failure, changes, validateOnly }: Changed): Outcome {
  const said = changes.map(shownChange).join(", ");
  return {
    name,
    failure,
    facts: {
      altered: failure === undefined && !validateOnly,
      changes: changes.map((change) => ({
        setting: change.name,
        operation: change.operation,
        ...(change.value === undefined ? {} : { value: change.value }),
      })),
    },
    said: `${validateOnly ? "would change" : "changed"} ${type} ${name}: ${said}`,
  };
}

function shownChange({ name, operation, value = "" }: Change): string {
  switch (operation) {
    case "set":
      return shownSetting(name, value);
    case "delete":
      return `${name} back to its default`;
    case "append":
      return `${name} with ${value}`;
    case "subtract":
      return `${name} without ${value}`;
  }
}

/** Apache Kafka does not say which name was meant; a topic has the same settings everywhere. */
function withSuggestion(
  failure: Failure,
  changes: readonly Change[],
  known: readonly string[],
): Failure {
  if (failure.code !== "INVALID_CONFIG" || failure.message.includes("did you mean")) return failure;
  const unknown = changes.map(({ name }) => name).filter((name) => !known.includes(name))
    .find((name) => failure.message.includes(name));
  const found = unknown === undefined ? undefined : nearest(unknown, known);
  if (found === undefined) return failure;
  return new Failure(failure.code, failure.message, {
    hint: `Did you mean '${found}'?`,
    cause: failure,
  });
}

/** An mq broker names its file itself; Kafka's answer speaks for itself. */
function withBrokerHint(failure: Failure): Failure {
  if (!failure.message.includes("mq broker start -c")) return failure;
  return new Failure(failure.code, failure.message, {
    hint:
      "-X NAME=VALUE gives it a single setting when it starts; a topic's are changed with --topic",
    cause: failure,
  });
}
