/** What a scripted broker answers about settings of topics: two of them, whatever was changed. */
import type { describeConfigs } from "../../src/api/describe_configs.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import type { RequestOf, ResponseInput } from "../../src/api/schema.ts";
import type { FakeCluster } from "./fake_cluster.ts";

export function answerDescribeConfigs(
  cluster: FakeCluster,
  body: RequestOf<typeof describeConfigs>,
): ResponseInput<typeof describeConfigs> {
  return {
    results: body.resources.map(({ resourceType, resourceName }) => ({
      errorCode: cluster.topics.has(resourceName) ? 0 : ErrorCode.UnknownTopicOrPartition,
      errorMessage: null,
      resourceType,
      resourceName,
      configs: [
        { name: "retention.ms", value: "1000", configSource: 1 },
        { name: "cleanup.policy", value: "delete", configSource: 5 },
      ].map((config) => ({
        ...config,
        readOnly: false,
        isSensitive: false,
        synonyms: [{ name: config.name, value: config.value, source: config.configSource }],
        configType: 5,
        documentation: "What it does.",
      })),
    })),
  };
}

export function answerAlterConfigs(
  cluster: FakeCluster,
  body: RequestOf<typeof incrementalAlterConfigs>,
): ResponseInput<typeof incrementalAlterConfigs> {
  return {
    responses: body.resources.map(({ resourceType, resourceName }) => ({
      errorCode: resourceType === 4
        ? ErrorCode.InvalidRequest // its settings are read from its file
        : cluster.topics.has(resourceName)
        ? 0
        : ErrorCode.UnknownTopicOrPartition,
      errorMessage: null,
      resourceType,
      resourceName,
    })),
  };
}
