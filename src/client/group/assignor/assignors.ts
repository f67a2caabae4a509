/** The assignors by their names. */
import type { AssignorName } from "../../group_options.ts";
import type { Assignor } from "./assignor.ts";
import { cooperativeSticky } from "./cooperative_sticky.ts";
import { range } from "./range.ts";
import { roundRobin } from "./round_robin.ts";

export const assignors: Readonly<Record<AssignorName, Assignor>> = {
  "cooperative-sticky": cooperativeSticky,
  "range": range,
  "roundrobin": roundRobin,
};

/** Whether `name` is one of ours: a group may have agreed on nothing else. */
export function assignorOf(name: string | null): Assignor | undefined {
  return name !== null && Object.hasOwn(assignors, name)
    ? assignors[name as AssignorName]
    : undefined;
}
