/**
 * Changing settings of topics, for `topic alter`, `config set` and `config unset`: what was asked for,
 * what the brokers make of it, and how it is told.
 */
import type { Context } from "./context.ts";
import type { ExitCode } from "./exit_code.ts";
import { Failure, failureOf, usageFailure } from "./failure.ts";
import { type Outcome, tellOutcomes } from "./outcomes.ts";
import { parseAssignment } from "./quantity.ts";
import { withClient } from "./session.ts";
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
  const isDryRun = context.flags.isSet("dry-run");
  const known = (await context.library()).BrokerSettings.ofTopics.map(({ name }) => name);
  return await withClient(context, async (client) => {
    const results = await client.admin.alterTopicConfigs(
      topics.map((name) => ({ name, changes })),
      { validateOnly: isDryRun },
    );
    const said = changes.map(shownChange).join(", ");
    return await tellOutcomes(
      context,
      results.map(({ name, error }): Outcome => ({
        name,
        failure: error === undefined ? undefined : withSuggestion(failureOf(error), changes, known),
        facts: {
          altered: error === undefined && !isDryRun,
          changes: changes.map((change) => ({
            setting: change.name,
            operation: change.operation,
            ...(change.value === undefined ? {} : { value: change.value }),
          })),
        },
        said: `${isDryRun ? "would change" : "changed"} topic ${name}: ${said}`,
      })),
    );
  });
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
