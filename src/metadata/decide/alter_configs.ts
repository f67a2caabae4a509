/**
 * Which settings of topics and groups are changed, one by one or as a whole set, and why others are
 * not.
 *
 * Each resource of a request stands alone, and is changed whole or not at all. A value that does not
 * change makes no record.
 *
 * Only topics and groups have settings that can be changed while the broker runs. Those of a broker are
 * read from its file when it starts; whoever asks for such a change is told so. A group need not be
 * there: its settings wait for it.
 *
 * Source: kafka: ConfigAdminManager.preprocess, ConfigurationControlManager, for what is looked at, in
 * which order, and the error codes; `test/golden/alter_configs_answers.json` has Kafka's answers.
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Decision } from "../decision.ts";
import { groupSetting, refuseGroupConfigs } from "../group_config.ts";
import type { ClusterImage } from "../image.ts";
import { refuseBelowGroups } from "../level_gate.ts";
import type { ConfigRecord } from "../record.ts";
import { isRefusal, type Refusal, refusal } from "../refusal.ts";
import { type Setting, shown } from "../setting.ts";
import {
  type BrokerValue,
  refuseTopicConfigs,
  SUGGESTIONS_MAX,
  topicSetting,
} from "../topic_config.ts";
import { refuseTopicName } from "../topic_name.ts";

/** Kafka: AlterConfigOp.OpType. */
export const CONFIG_OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

/** Kafka: ConfigResource.Type. */
export const RESOURCE_TYPE = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const;

export interface ConfigChange {
  readonly name: string;
  readonly configOperation: number;
  readonly value: string | null;
}

export interface ResourceToAlter {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly ConfigChange[];
}

export interface AlterConfigsRequest {
  readonly resources: readonly ResourceToAlter[];
  /** Whether what is not named goes back to its default. */
  readonly isWholeSet: boolean;
  readonly validateOnly: boolean;
  /** Gives the defaults that a topic's settings must not contradict. */
  readonly brokerValue: BrokerValue;
}

export interface AlteredResource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

/** Of the values of one request: a list is taken apart element by element, half a microsecond each. */
const VALUE_CHARACTERS_MAX = 4 * 1024 * 1024;

/** One answer for each resource, in their order. */
export function decideAlterConfigs(
  image: ClusterImage,
  request: AlterConfigsRequest,
): Decision<readonly AlteredResource[]> {
  if (charactersOf(request) > VALUE_CHARACTERS_MAX) return { records: [], reply: tooMuch(request) };
  const records: ConfigRecord[] = [];
  const counts = new Map<string, number>();
  for (const resource of request.resources) {
    counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1);
  }
  let refusedCount = 0;
  const reply = request.resources.map((resource): AlteredResource => {
    const { resourceType, resourceName } = resource;
    const isTwice = (counts.get(keyOf(resource)) as number) > 1;
    const result = isTwice
      ? refusal(ErrorCode.InvalidRequest, "Each resource must appear at most once.")
      : refuseResource(image, resource) ??
        alter(image, resource, { ...request, maySuggest: refusedCount < SUGGESTIONS_MAX });
    if (isRefusal(result)) {
      refusedCount++;
      return { resourceType, resourceName, ...result };
    }
    if (!request.validateOnly) records.push(...result);
    return { resourceType, resourceName, errorCode: ErrorCode.None, errorMessage: null };
  });
  return { records, reply };
}

function charactersOf({ resources }: AlterConfigsRequest): number {
  let total = 0;
  for (const { configs } of resources) {
    for (const { value } of configs) total += value?.length ?? 0;
  }
  return total;
}

function tooMuch({ resources }: AlterConfigsRequest): readonly AlteredResource[] {
  const errorMessage = `Cannot change so much at once: the values of one request may have ` +
    `${VALUE_CHARACTERS_MAX} characters together`;
  return resources.map(({ resourceType, resourceName }) => ({
    resourceType,
    resourceName,
    errorCode: ErrorCode.PolicyViolation,
    errorMessage,
  }));
}

function keyOf({ resourceType, resourceName }: ResourceToAlter): string {
  return `${resourceType} ${resourceName}`;
}

/** What is wrong with it whatever the topics are. */
function refuseResource(
  image: ClusterImage,
  { resourceType, resourceName, configs }: ResourceToAlter,
): Refusal | undefined {
  const invalid = (message: string): Refusal => refusal(ErrorCode.InvalidRequest, message);
  if (new Set(configs.map(({ name }) => name)).size !== configs.length) {
    return invalid("Error due to duplicate config keys");
  }
  const isNull = ({ configOperation, value }: ConfigChange): boolean =>
    value === null && configOperation !== CONFIG_OPERATION.delete;
  const nulls = configs.filter(isNull).map(({ name }) => name);
  if (nulls.length > 0) return invalid(`Null value not supported for : ${shown(nulls.join(", "))}`);
  switch (resourceType) {
    case RESOURCE_TYPE.topic:
      return undefined;
    case RESOURCE_TYPE.broker:
      return invalid(brokerReason(image, resourceName));
    case RESOURCE_TYPE.brokerLogger:
      return invalid("Cannot change a broker's loggers: mq has none");
    case RESOURCE_TYPE.clientMetrics:
      return invalid("Cannot change settings of client metrics: mq does not gather them yet");
    case RESOURCE_TYPE.group:
      return refuseBelowGroups(image, "change settings of a group");
    default:
      return invalid(`Unknown resource type ${resourceType}`);
  }
}

/**
 * Names the broker that is meant: whichever was asked, the active controller answers, and its own id
 * says nothing (of Kafka the broker that is asked looks at it, before it passes the request on).
 */
function brokerReason(image: ClusterImage, resourceName: string): string {
  if (resourceName !== "" && !/^[+-]?\d+$/.test(resourceName)) {
    return `Node id must be an integer, but it is: ${shown(resourceName)}`;
  }
  if (resourceName !== "" && image.broker(Number(resourceName)) === undefined) {
    const ids = image.brokers().map(({ brokerId }) => brokerId).join(", ");
    return `Unexpected broker id, expected ${ids}, but received ${shown(resourceName)}`;
  }
  return resourceName === ""
    ? "Cannot change settings of all brokers while they run: write them into the settings files that " +
      "they are started with (mq broker start -c FILE), and start them anew"
    : `Cannot change settings of broker ${
      Number(resourceName)
    } while it runs: write them into the ` +
      "settings file that it is started with (mq broker start -c FILE), and start it anew";
}

type Alteration = AlterConfigsRequest & { readonly maySuggest: boolean };

function alter(
  image: ClusterImage,
  resource: ResourceToAlter,
  alteration: Alteration,
): readonly ConfigRecord[] | Refusal {
  return resource.resourceType === RESOURCE_TYPE.group
    ? alterGroup(image, resource, alteration)
    : alterTopic(image, resource, alteration);
}

function alterGroup(
  image: ClusterImage,
  { resourceName, configs }: ResourceToAlter,
  { isWholeSet, brokerValue }: Alteration,
): readonly ConfigRecord[] | Refusal {
  const before = image.groupConfig(resourceName);
  const after = new Map(isWholeSet ? [] : before);
  for (const change of configs) {
    const reason = applyChange(after, change, groupSetting(change.name), brokerValue);
    if (reason !== undefined) return reason;
  }
  if (resourceName === "") {
    return refusal(ErrorCode.InvalidRequest, "Default group resources are not allowed.");
  }
  const badConfig = refuseGroupConfigs(after, brokerValue);
  if (badConfig !== undefined) return refusal(ErrorCode.InvalidConfig, badConfig);
  return recordsBetween({ version: 2, resourceType: "group", resourceName }, before, after);
}

function alterTopic(
  image: ClusterImage,
  { resourceName, configs }: ResourceToAlter,
  { isWholeSet, brokerValue, maySuggest }: Alteration,
): readonly ConfigRecord[] | Refusal {
  const topic = image.topic(resourceName);
  const before = topic?.config ?? new Map<string, string>();
  const after = new Map(isWholeSet ? [] : before);
  for (const change of configs) {
    const reason = applyChange(after, change, topicSetting(change.name), brokerValue);
    if (reason !== undefined) return reason;
  }
  if (resourceName === "") {
    return refusal(ErrorCode.InvalidRequest, "Default topic resources are not allowed.");
  }
  const badName = refuseTopicName(resourceName);
  if (badName !== undefined) return refusal(ErrorCode.InvalidTopicException, badName);
  const badConfig = refuseTopicConfigs(after, brokerValue, maySuggest);
  if (badConfig !== undefined) return refusal(ErrorCode.InvalidConfig, badConfig);
  if (topic === undefined) {
    const message = `The topic '${resourceName}' does not exist.`;
    return refusal(ErrorCode.UnknownTopicOrPartition, message);
  }
  return recordsBetween({ version: 0, resourceType: "topic", resourceName }, before, after);
}

/** Changes `settings`, or gives the reason why not. */
function applyChange(
  settings: Map<string, string>,
  { name, configOperation, value }: ConfigChange,
  setting: (Setting & { readonly synonym?: string }) | undefined,
  brokerValue: BrokerValue,
): Refusal | undefined {
  switch (configOperation) {
    case CONFIG_OPERATION.set:
      settings.set(name, value as string);
      return undefined;
    case CONFIG_OPERATION.delete:
      settings.delete(name);
      return undefined;
    case CONFIG_OPERATION.append:
    case CONFIG_OPERATION.subtract:
      break;
    default:
      return refusal(ErrorCode.InvalidRequest, `Unknown operations type ${configOperation}`);
  }
  const isAppend = configOperation === CONFIG_OPERATION.append;
  if (setting?.type !== "list") {
    const verb = isAppend ? "APPEND" : "SUBTRACT";
    const message = `Can't ${verb} to key ${shown(name)} because its type is not LIST.`;
    return refusal(ErrorCode.InvalidConfig, message);
  }
  const broker = setting.synonym === undefined ? undefined : brokerValue(setting.synonym);
  const present = elementsOf(settings.get(name) ?? broker ?? setting.default ?? "")
    .filter((element) => element !== "");
  const given = elementsOf(value as string);
  const elements = isAppend
    ? [...new Set([...present, ...given])]
    : present.filter((element) => !given.includes(element));
  settings.set(name, elements.join(","));
  return undefined;
}

function elementsOf(text: string): readonly string[] {
  return text.split(",").map((element) => element.trim());
}

function recordsBetween(
  resource: Pick<ConfigRecord, "version" | "resourceType" | "resourceName">,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly ConfigRecord[] {
  const record = (name: string, value: string | null): ConfigRecord => {
    return { kind: "config", ...resource, name, value };
  };
  const gone = [...before.keys()].filter((name) => !after.has(name));
  const changed = [...after].filter(([name, value]) => before.get(name) !== value);
  return [
    ...gone.map((name) => record(name, null)),
    ...changed.map(([name, value]) => record(name, value)),
  ];
}
