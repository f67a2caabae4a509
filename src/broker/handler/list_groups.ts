/**
 * ListGroups: the groups that this broker coordinates.
 *
 * Of the names in a filter only those that mean something go further, each once: every shard looks at
 * them again.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { listGroups } from "../../api/list_groups.ts";
import { type Answer, defineHandler } from "../handler.ts";

const STATES = new Set([
  ...["empty", "preparingrebalance", "completingrebalance", "stable"],
  ...["assigning", "reconciling"],
]);
const TYPES = new Set(["classic", "consumer"]);

export const listGroupsHandler = defineHandler({
  api: listGroups,
  async handle(broker, request): Promise<Answer<typeof listGroups>> {
    const groups = await broker.groups.listGroups({
      ...request,
      statesFilter: meaningful(request.statesFilter, STATES),
      typesFilter: meaningful(request.typesFilter, TYPES),
    });
    return typeof groups === "number"
      ? { errorCode: groups, groups: [] }
      : { errorCode: ErrorCode.None, groups };
  },
});

/** In lower case. A filter that names nothing there is lets nothing through, so one such name stays. */
function meaningful(filter: readonly string[], known: ReadonlySet<string>): readonly string[] {
  const named = new Set(filter.map((name) => name.toLowerCase()));
  const found = [...named].filter((name) => known.has(name));
  return found.length > 0 ? found : filter.slice(0, 1);
}
