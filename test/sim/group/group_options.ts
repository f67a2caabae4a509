/** Which groups there are in a world, drawn from a generator of its own: what a seed draws of others stays. */
import type { AssignorName, GroupProtocol } from "../../../src/client/group_options.ts";
import { Prng } from "../../../src/ground/prng.ts";

export interface SimGroup {
  readonly groupId: string;
  readonly protocol: GroupProtocol;
  readonly assignor: AssignorName;
  readonly members: number;
  readonly isStatic: boolean;
  readonly commit: "auto" | "manual";
}

const ASSIGNORS = ["cooperative-sticky", "range", "roundrobin"] as const;
const MEMBERS_MAX = 3;
const GROUPS_MAX = 2;

export function drawGroups(seed: number): readonly SimGroup[] {
  const chance = new Prng(seed ^ 0x62075);
  return Array.from({ length: 1 + chance.below(GROUPS_MAX) }, (_, index) => ({
    groupId: `g${index + 1}`,
    protocol: chance.oneIn(2) ? "classic" : "consumer",
    assignor: ASSIGNORS[chance.below(ASSIGNORS.length)] ?? "range",
    members: 1 + chance.below(MEMBERS_MAX),
    isStatic: chance.oneIn(3),
    commit: chance.oneIn(2) ? "auto" : "manual",
  }));
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
