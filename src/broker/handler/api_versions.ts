/** ApiVersions: what this broker serves, and nothing more. Features: none yet. */
import { apiVersions } from "../../api/api_versions.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { apis } from "../../api/registry.ts";
import { type Answer, defineHandler } from "../handler.ts";

/** Kafka: ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN. */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

const API_KEYS = apis.map(({ key, versions, advertised }) => {
  const [minVersion, maxVersion] = advertised ?? versions;
  return { apiKey: key, minVersion, maxVersion };
});

export const apiVersionsHandler = defineHandler({
  api: apiVersions,
  handle(_broker, request, { apiVersion }): Answer<typeof apiVersions> {
    const isNamed = apiVersion < 3 ||
      (SOFTWARE.test(request.clientSoftwareName) && SOFTWARE.test(request.clientSoftwareVersion));
    return isNamed
      ? { errorCode: ErrorCode.None, apiKeys: API_KEYS }
      : { errorCode: ErrorCode.InvalidRequest, apiKeys: [] };
  },
});
