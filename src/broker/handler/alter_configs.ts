/** AlterConfigs: what is named becomes the whole set of a topic's own settings. */
import { alterConfigs as api } from "../../api/alter_configs.ts";
import { CONFIG_OPERATION } from "../../metadata/decide/alter_configs.ts";
import { alterConfigs } from "../alter_configs.ts";
import { type Answer, defineHandler } from "../handler.ts";

export const alterConfigsHandler = defineHandler({
  api,
  whenUndecided({ resources }, refusal): Answer<typeof api> {
    return {
      responses: resources.map(({ resourceType, resourceName }) => ({
        resourceType,
        resourceName,
        ...refusal,
      })),
    };
  },
  async handle(broker, { resources, validateOnly }): Promise<Answer<typeof api>> {
    const asSet = resources.map((resource) => ({
      ...resource,
      configs: resource.configs.map((config) => ({
        ...config,
        configOperation: CONFIG_OPERATION.set,
      })),
    }));
    return { responses: await alterConfigs(broker, asSet, { isWholeSet: true, validateOnly }) };
  },
});
