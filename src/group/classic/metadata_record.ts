/**
 * The GroupMetadata record: what is durable of a classic group, out of its state and back into it.
 *
 * Of a member's protocols only the selected one is written, as in Kafka: after a restart the group
 * knows no other, until its members join again.
 */
import type { GroupMetadataRecord } from "../../api/coordinator_record/group_record.ts";
import type { Ms } from "../../ground/numbers.ts";
import { type ClassicMember, EMPTY_ASSIGNMENT, metadataOf, newMember } from "./classic_member.ts";
import type { ClassicCore, GroupMetadataValue } from "./core.ts";
import { snapshotSubscriptions } from "./subscribed_topics.ts";

type MemberMetadata = GroupMetadataValue["members"][number];

/** `assignmentOf` gives what is being decided now, which is not in the members yet. */
export function groupMetadataRecord(
  core: ClassicCore,
  assignmentOf: (member: ClassicMember) => Uint8Array,
): GroupMetadataRecord {
  return {
    kind: "GroupMetadata",
    key: { group: core.groupId },
    value: valueOf(core, assignmentOf),
  };
}

/** The record by which a group that has no generation yet is found after a restart. */
export function newGroupRecord(groupId: string, now: Ms): GroupMetadataRecord {
  return {
    kind: "GroupMetadata",
    key: { group: groupId },
    value: {
      protocolType: "",
      generation: 0,
      protocol: null,
      leader: null,
      currentStateTimestamp: now,
      members: [],
    },
  };
}

export function valueOf(
  core: ClassicCore,
  assignmentOf: (member: ClassicMember) => Uint8Array,
): GroupMetadataValue {
  const protocol = core.protocolName ?? null;
  return {
    protocolType: core.protocolType ?? "",
    generation: core.generationId,
    protocol,
    leader: core.members.leaderId ?? null,
    currentStateTimestamp: core.changedAtMs,
    members: Array.from(core.members.values(), (member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataOf(member, protocol ?? "") ?? EMPTY_ASSIGNMENT,
      assignment: assignmentOf(member),
    })),
  };
}

/** Makes a group that has nothing but its id what the record says: Stable, or Empty. */
export function restore(core: ClassicCore, value: GroupMetadataValue): void {
  core.phase = value.members.length === 0 ? "Empty" : "Stable";
  core.previousPhase = core.phase;
  core.changedAtMs = value.currentStateTimestamp;
  core.generationId = value.generation;
  core.protocolType = value.protocolType === "" ? undefined : value.protocolType;
  core.protocolName = value.protocol ?? undefined;
  for (const member of value.members) core.members.add(restoredMember(member, value.protocol));
  core.members.restoreLeader(value.leader);
  snapshotSubscriptions(core);
}

function restoredMember(member: MemberMetadata, protocol: string | null): ClassicMember {
  const { rebalanceTimeout, sessionTimeout } = member;
  return newMember({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    // Written by a broker that had no rebalance timeout yet (KIP-62).
    rebalanceTimeoutMs: rebalanceTimeout === -1 ? sessionTimeout : rebalanceTimeout,
    sessionTimeoutMs: sessionTimeout,
    protocols: protocol === null ? [] : [{ name: protocol, metadata: member.subscription }],
    assignment: member.assignment,
  });
}
