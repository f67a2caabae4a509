/** ApiVersions: what this node serves, and nothing more; the levels of features that are in force. */
import { apiVersions } from "../../api/api_versions.ts";
import { ErrorCode } from "../../api/error_code.ts";
import type { Api, ResponseInput } from "../../api/schema.ts";
import { supportedFeatures } from "../../metadata/feature.ts";
import type { BrokerContext } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";

type ApiKey = ResponseInput<typeof apiVersions>["apiKeys"][number];

/** Kafka: ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN. */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/** Told to everybody who connects, so made once. */
const keysOf = new WeakMap<readonly Api[], readonly ApiKey[]>();

export const apiVersionsHandler = defineHandler({
  api: apiVersions,
  isOfEveryNode: true,
  handle(broker, request, { apiVersion }): Answer<typeof apiVersions> {
    const isNamed = apiVersion < 3 ||
      (SOFTWARE.test(request.clientSoftwareName) && SOFTWARE.test(request.clientSoftwareVersion));
    return isNamed
      ? { errorCode: ErrorCode.None, apiKeys: apiKeys(broker.served), ...featuresOf(broker) }
      : { errorCode: ErrorCode.InvalidRequest, apiKeys: [] };
  },
});

function apiKeys(served: readonly Api[]): readonly ApiKey[] {
  let keys = keysOf.get(served);
  if (keys === undefined) {
    keys = served.map(({ key, versions, advertised }) => {
      const [minVersion, maxVersion] = advertised ?? versions;
      return { apiKey: key, minVersion, maxVersion };
    });
    keysOf.set(served, keys);
  }
  return keys;
}

/** In a log from before there were clusters no feature was ever decided about. */
function featuresOf(
  { image }: BrokerContext,
): Pick<ResponseInput<typeof apiVersions>, "supportedFeatures" | "finalizedFeatures"> {
  const levels = [...image.featureLevels()];
  return {
    supportedFeatures: supportedFeatures(),
    ...(levels.length === 0 ? {} : {
      finalizedFeaturesEpoch: image.nextOffset - 1,
      finalizedFeatures: levels.map(([name, level]) => ({
        name,
        minVersionLevel: level,
        maxVersionLevel: level,
      })),
    }),
  };
}
