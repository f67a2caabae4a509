/** Which groups there are in a world, drawn from generators of their own: what a seed draws of others stays. */
import type { AssignorName, GroupProtocol } from "../../../src/client/group_options.ts";
import { Prng } from "../../../src/ground/prng.ts";
import type { SimOptions } from "../sim_options.ts";
import {
  GROUP_OPERATION_NAMES,
  type GroupOperationName,
} from "./operation/group_operation_names.ts";

export interface SimGroup {
  readonly groupId: string;
  /** "both": each membership speaks one or the other, and the group is turned to and fro. */
  readonly protocol: GroupProtocol | "both";
  readonly assignor: AssignorName;
  readonly members: number;
  readonly isStatic: boolean;
  readonly commit: "auto" | "manual";
  /** Whether members ask for a pattern; false where left out. */
  readonly isPattern?: boolean;
}

const ASSIGNORS = ["cooperative-sticky", "range", "roundrobin"] as const;
const PROTOCOLS = ["classic", "consumer", "both"] as const;
const MEMBERS_MAX = 3;
const GROUPS_MAX = 2;
const WEIGHT_MAX = 9;

type GroupsOfWorld = Required<Pick<SimOptions, "groups" | "groupOperations" | "groupSettings">>;

/** Groups, what an administrator does to them, and how their log is cleaned. */
export function drawGroups(seed: number): GroupsOfWorld {
  const chance = new Prng(seed ^ 0x62075);
  const groups = Array.from({ length: 1 + chance.below(GROUPS_MAX) }, (_, index): SimGroup => ({
    groupId: `g${index + 1}`,
    protocol: PROTOCOLS[chance.below(PROTOCOLS.length)] ?? "both",
    assignor: ASSIGNORS[chance.below(ASSIGNORS.length)] ?? "range",
    members: 1 + chance.below(MEMBERS_MAX),
    isStatic: chance.oneIn(3),
    commit: chance.oneIn(2) ? "auto" : "manual",
    isPattern: chance.oneIn(3),
  }));
  const groupOperations: Partial<Record<GroupOperationName, number>> = {};
  for (const name of GROUP_OPERATION_NAMES) {
    const weight = 1 + chance.below(WEIGHT_MAX);
    if (!chance.oneIn(3)) groupOperations[name] = weight;
  }
  const isCleaned = !chance.oneIn(3);
  return { groups, groupOperations, groupSettings: isCleaned ? drawCleaning(chance) : {} };
}

/** Segments that are closed by their age, and cleaned as soon as there is anything to clean. */
function drawCleaning(chance: Prng): Readonly<Record<string, string>> {
  const draw = (values: readonly string[]): string => values[chance.below(values.length)] as string;
  return {
    "log.roll.ms": draw(["1000", "3000", "10000"]),
    "log.cleaner.backoff.ms": draw(["300", "2000"]),
    "log.cleaner.min.cleanable.ratio": draw(["0", "0.5"]),
    "log.cleaner.delete.retention.ms": draw(["0", "3000", "86400000"]),
  };
}

/** Sessions that end within a simulation; one replica, because followers copy nothing yet. */
export const GROUP_SETTINGS: Readonly<Record<string, string>> = {
  "offsets.topic.num.partitions": "2",
  "offsets.topic.replication.factor": "1",
  "group.consumer.min.session.timeout.ms": "1000",
  "group.consumer.session.timeout.ms": "6000",
  "group.consumer.min.heartbeat.interval.ms": "100",
  "group.consumer.heartbeat.interval.ms": "1000",
};

/** What `GROUP_SETTINGS` say. */
export const OFFSETS_PARTITIONS = 2;

/** So many names of topics of a simulation, `t0` and on, members ask for, whether they are there or not. */
export const TOPICS_READ = 12;
export function isRead(topic: string): boolean {
  return topic.startsWith("t") && Number(topic.slice(1)) < TOPICS_READ;
}

/** The same in RE2's words, and in those of a `RegExp`. */
export const TOPICS_PATTERN = "t([0-9]|1[01])";
