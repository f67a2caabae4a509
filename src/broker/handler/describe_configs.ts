/** DescribeConfigs: settings of topics, of groups and of this broker, with where each value comes from. */
import { describeConfigs } from "../../api/describe_configs.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { RequestOf, ResponseInput } from "../../api/schema.ts";
import { refuseTopicName } from "../../metadata/topic_name.ts";
import type { BrokerContext } from "../broker_context.ts";
import {
  brokerConfigDescriptions,
  type ConfigDescription,
  groupConfigDescriptions,
  topicConfigDescriptions,
} from "../config_entries.ts";
import { type Answer, defineHandler } from "../handler.ts";

type Request = RequestOf<typeof describeConfigs>;
type Resource = Request["resources"][number];
type Result = ResponseInput<typeof describeConfigs>["results"][number];

const TOPIC = 2;
const BROKER = 4;
const GROUP = 32;

export const describeConfigsHandler = defineHandler({
  api: describeConfigs,
  handle(broker, request): Answer<typeof describeConfigs> {
    const resources = distinct(request.resources);
    return { results: resources.map((resource) => describe(broker, request, resource)) };
  },
});

/** Each resource once: its answer is thousands of times as long as the question. */
function distinct(resources: readonly Resource[]): readonly Resource[] {
  return [
    ...new Map(resources.map((one) => [`${one.resourceType} ${one.resourceName}`, one])).values(),
  ];
}

function describe(broker: BrokerContext, request: Request, resource: Resource): Result {
  const { resourceType, resourceName, configurationKeys } = resource;
  if (resourceType === TOPIC) {
    if (refuseTopicName(resourceName) !== undefined) {
      return failed(resource, ErrorCode.InvalidTopicException, "The topic name is not valid.");
    }
    const topic = broker.image.topic(resourceName);
    return topic === undefined
      ? failed(resource, ErrorCode.UnknownTopicOrPartition, null)
      : described(resource, request, topicConfigDescriptions(topic.config, broker.settings));
  }
  if (resourceType === GROUP) {
    return resourceName === ""
      ? failed(resource, ErrorCode.InvalidRequest, "Group name must not be empty")
      : described(
        resource,
        request,
        groupConfigDescriptions(broker.image.groupConfig(resourceName), broker.settings),
      );
  }
  if (resourceType !== BROKER) {
    return failed(resource, ErrorCode.InvalidRequest, `Unsupported resource type ${resourceType}`);
  }
  if (resourceName !== "" && resourceName !== String(broker.brokerId)) {
    const message = `Unexpected broker id, expected ${broker.brokerId} or empty string, but ` +
      `received ${resourceName}`;
    return failed(resource, ErrorCode.InvalidRequest, message);
  }
  // The empty name asks for what holds for all brokers, of which nothing was ever set.
  const all = resourceName === "" ? [] : brokerConfigDescriptions(broker.settings);
  return described({ resourceType, resourceName, configurationKeys }, request, all);
}

function described(
  { resourceType, resourceName, configurationKeys }: Resource,
  { includeSynonyms, includeDocumentation }: Request,
  all: readonly ConfigDescription[],
): Result {
  const keys = new Set(configurationKeys ?? []);
  const wanted = keys.size === 0 ? all : all.filter(({ name }) => keys.has(name));
  return {
    errorCode: ErrorCode.None,
    errorMessage: null,
    resourceType,
    resourceName,
    configs: wanted.map(({ documentation, synonyms, ...config }) => ({
      ...config,
      synonyms: includeSynonyms ? synonyms : [],
      documentation: includeDocumentation ? documentation : null,
    })),
  };
}

function failed(
  { resourceType, resourceName }: Resource,
  errorCode: ErrorCode,
  errorMessage: string | null,
): Result {
  return { errorCode, errorMessage, resourceType, resourceName, configs: [] };
}
