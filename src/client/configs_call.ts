/**
 * The settings of topics and brokers: asked for, and changed one by one.
 *
 * Changes go by IncrementalAlterConfigs, which every Kafka since 2.3 has. AlterConfigs is not fallen
 * back to: it replaces the whole set, and what somebody else changed meanwhile would be lost.
 */
import { describeConfigs } from "../api/describe_configs.ts";
import { incrementalAlterConfigs } from "../api/incremental_alter_configs.ts";
import type { RequestInput, ResponseOf } from "../api/schema.ts";
import type {
  AlteredConfigs,
  ConfigChanges,
  ConfigEntry,
  ConfigOperation,
  ConfigResult,
  ConfigSource,
  ConfigType,
} from "./admin_results.ts";
import { errorOfResult } from "./client_error.ts";

export const RESOURCE_TOPIC = 2;
export const RESOURCE_BROKER = 4;

/** In the order of their numbers; kafka: DescribeConfigsResponse.ConfigSource. */
const CONFIG_SOURCES: readonly ConfigSource[] = [
  "UNKNOWN",
  "DYNAMIC_TOPIC_CONFIG",
  "DYNAMIC_BROKER_CONFIG",
  "DYNAMIC_DEFAULT_BROKER_CONFIG",
  "STATIC_BROKER_CONFIG",
  "DEFAULT_CONFIG",
];

/** In the order of their numbers; kafka: DescribeConfigsResponse.ConfigType. */
const CONFIG_TYPES: readonly ConfigType[] = [
  "unknown",
  "boolean",
  "string",
  "int",
  "short",
  "long",
  "double",
  "list",
  "class",
  "password",
];

/** Kafka: AlterConfigOp.OpType. */
const OPERATIONS: Readonly<Record<ConfigOperation, number>> = {
  set: 0,
  delete: 1,
  append: 2,
  subtract: 3,
};

/** With `isDetailed` also what each does and where else it has a value, which is most of an answer. */
export function describeRequest(
  resourceType: number,
  names: readonly string[],
  isDetailed: boolean,
): RequestInput<typeof describeConfigs> {
  return {
    resources: names.map((resourceName) => ({
      resourceType,
      resourceName,
      configurationKeys: null,
    })),
    includeSynonyms: isDetailed,
    includeDocumentation: isDetailed,
  };
}

/** In the order of the names asked for; the settings in the order of theirs. */
export function describedConfigs(
  { results }: ResponseOf<typeof describeConfigs>,
  names: readonly string[],
): readonly ConfigResult[] {
  const byName = new Map(results.map((result) => [result.resourceName, result]));
  return names.map((name) => {
    const result = byName.get(name);
    const action = name === "" ? "Cannot describe settings" : `Cannot describe settings of ${name}`;
    const configs = (result?.configs ?? []).map(entryOf);
    return {
      name,
      ...errorOfResult(result, action),
      configs: configs.sort((left, right) => left.name < right.name ? -1 : 1),
    };
  });
}

function entryOf(
  config: ResponseOf<typeof describeConfigs>["results"][number]["configs"][number],
): ConfigEntry {
  return {
    name: config.name,
    value: config.value,
    source: CONFIG_SOURCES[config.configSource] ?? "UNKNOWN",
    isReadOnly: config.readOnly,
    isSensitive: config.isSensitive,
    type: CONFIG_TYPES[config.configType] ?? "unknown",
    documentation: config.documentation ?? "",
    synonyms: config.synonyms.map(({ name, value, source }) => ({
      name,
      value,
      source: CONFIG_SOURCES[source] ?? "UNKNOWN",
    })),
  };
}

export function alterRequest(
  resourceType: number,
  resources: readonly ConfigChanges[],
  validateOnly: boolean,
): RequestInput<typeof incrementalAlterConfigs> {
  return {
    resources: resources.map((resource) => ({
      resourceType,
      resourceName: resource.name,
      configs: resource.changes.map(({ name, operation, value }) => ({
        name,
        configOperation: OPERATIONS[operation],
        value: value ?? null,
      })),
    })),
    validateOnly,
  };
}

export function alteredConfigs(
  { responses }: ResponseOf<typeof incrementalAlterConfigs>,
  kind: "topic" | "broker",
  resources: readonly ConfigChanges[],
): readonly AlteredConfigs[] {
  const byName = new Map(responses.map((response) => [response.resourceName, response]));
  return resources.map(({ name }) => ({
    name,
    ...errorOfResult(byName.get(name), `Cannot change settings of ${kind} ${name}`),
  }));
}
