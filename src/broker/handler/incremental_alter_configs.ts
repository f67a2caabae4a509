/** IncrementalAlterConfigs: single settings of topics and groups are changed, the others stay. */
import { incrementalAlterConfigs } from "../../api/incremental_alter_configs.ts";
import { alterConfigs } from "../alter_configs.ts";
import { type Answer, defineHandler } from "../handler.ts";

export const incrementalAlterConfigsHandler = defineHandler({
  api: incrementalAlterConfigs,
  whenUndecided({ resources }, refusal): Answer<typeof incrementalAlterConfigs> {
    return {
      responses: resources.map(({ resourceType, resourceName }) => ({
        resourceType,
        resourceName,
        ...refusal,
      })),
    };
  },
  async handle(
    broker,
    { resources, validateOnly },
  ): Promise<Answer<typeof incrementalAlterConfigs>> {
    return {
      responses: await alterConfigs(broker, resources, { isWholeSet: false, validateOnly }),
    };
  },
});
