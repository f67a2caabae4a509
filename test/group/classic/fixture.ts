/** Records of a group as some coordinator before has written them, and a world that has read them. */
import { writeSubscription } from "../../../src/api/consumer_protocol.ts";
import { bytesOf } from "../../../src/ground/text.ts";
import type { GroupMetadataValue } from "../../../src/group/classic/core.ts";
import { World } from "./world.ts";

type MemberMetadata = GroupMetadataValue["members"][number];

export function member(memberId: string, changed: Partial<MemberMetadata> = {}): MemberMetadata {
  return {
    memberId,
    groupInstanceId: null,
    clientId: "c",
    clientHost: "/h",
    rebalanceTimeout: 60_000,
    sessionTimeout: 10_000,
    subscription: writeSubscription({ topics: [`topic-of-${memberId}`] }),
    assignment: bytesOf(`p-${memberId}`),
    ...changed,
  };
}

export function metadata(changed: Partial<GroupMetadataValue> = {}): GroupMetadataValue {
  return {
    protocolType: "consumer",
    generation: 5,
    protocol: "range",
    leader: "m1",
    currentStateTimestamp: 77,
    members: [member("m1"), member("m2")],
    ...changed,
  };
}

/** A world whose coordinator has just read this from its log. */
export function loaded(value: GroupMetadataValue): World {
  const world = new World();
  world.log.push({ kind: "GroupMetadata", key: { group: "g" }, value });
  world.crash();
  return world;
}
