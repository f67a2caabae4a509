/** Sends the requests of `alter_configs_requests.ts` by whatever means, and gathers the answers. */
import { alterConfigs } from "../../src/api/alter_configs.ts";
import { describeConfigs } from "../../src/api/describe_configs.ts";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import type { Api, RequestInput, ResponseOf } from "../../src/api/schema.ts";
import { ALTER_REQUESTS, type AlterAnswer, type AlterRequest } from "./alter_configs_requests.ts";

export interface Asking {
  ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>>;
}

const TOPIC = 2;
const SOURCE_TOPIC = 1;

export async function exchange(connection: Asking): Promise<readonly AlterAnswer[]> {
  const answers: AlterAnswer[] = [];
  for (const request of ALTER_REQUESTS) {
    // deno-lint-ignore no-await-in-loop -- each sees what the ones before it have changed
    answers.push(await ask(connection, request));
  }
  return answers;
}

async function ask(connection: Asking, request: AlterRequest): Promise<AlterAnswer> {
  const validateOnly = request.validateOnly ?? false;
  const resources = request.resources.map(({ type, name, configs }) => ({
    resourceType: type,
    resourceName: name,
    configs: configs.map(([configName, value, operation]) => ({
      name: configName,
      value,
      configOperation: operation ?? 0,
    })),
  }));
  const { responses } = request.isIncremental
    ? await connection.ask(incrementalAlterConfigs, 1, { resources, validateOnly })
    : await connection.ask(alterConfigs, 2, { resources, validateOnly });
  const { results } = await connection.ask(describeConfigs, 4, {
    resources: [{ resourceType: TOPIC, resourceName: "t", configurationKeys: null }],
  });
  return {
    title: request.title,
    answers: responses.map(({ resourceType, resourceName, errorCode, errorMessage }) => ({
      type: resourceType,
      name: resourceName,
      errorCode,
      message: errorMessage,
    })),
    settings: (results[0]?.configs ?? [])
      .filter(({ configSource }) => configSource === SOURCE_TOPIC)
      .map(({ name, value }) => `${name}=${value}`).sort(),
  };
}
