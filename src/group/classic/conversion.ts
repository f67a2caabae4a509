/**
 * A consumer group whose members all speak the classic protocol goes on as a classic group (KIP-848).
 *
 * Its epoch becomes the generation, its assignment the members' bytes, so that nobody has to give up
 * anything before it is called back. The way back is the consumer group's affair.
 *
 * Source: kafka ClassicGroup.fromConsumerGroup.
 */
import type { GroupMetadataRecord } from "../../api/coordinator_record/group_record.ts";
import type { Turn } from "../turn.ts";
import { EMPTY_ASSIGNMENT, metadataOf, type NewMember, newMember } from "./classic_member.ts";
import { becomePhase, type ClassicCore, expectReplay, renewSession } from "./core.ts";
import { groupMetadataRecord } from "./metadata_record.ts";
import { CONSUMER_PROTOCOL_TYPE, snapshotSubscriptions } from "./subscribed_topics.ts";

/** What there is to say of a group that was a consumer group. */
export interface FormerGroup {
  readonly groupId: string;
  readonly generationId: number;
  readonly members: readonly Omit<NewMember, "assignment">[];
  /** `metadata` is what the member says in the protocol that was chosen; its version counts. */
  assignmentOf(memberId: string, metadata: Uint8Array): Uint8Array;
}

export function convert(core: ClassicCore, turn: Turn, former: FormerGroup): void {
  for (const member of former.members) {
    core.members.add(newMember({ ...member, assignment: EMPTY_ASSIGNMENT }));
  }
  core.generationId = former.generationId;
  core.protocolType = CONSUMER_PROTOCOL_TYPE;
  core.protocolName = core.members.selectProtocol();
  for (const member of core.members.values()) {
    const metadata = metadataOf(member, core.protocolName ?? "") ?? EMPTY_ASSIGNMENT;
    member.assignment = former.assignmentOf(member.memberId, metadata);
    renewSession(core, turn, member);
  }
  snapshotSubscriptions(core);
  becomePhase(core, turn.now, "Stable");
  turn.write(recordOf(core));
  expectReplay(core, turn, { kind: "created" });
}

/**
 * The rebalance that follows is in no record: where the coordinator fails before it is over, its
 * successor finds a Stable group. The record has a generation that nobody is ever in, so that there
 * everybody finds out by a first heartbeat.
 */
function recordOf(core: ClassicCore): GroupMetadataRecord {
  const { kind, key, value } = groupMetadataRecord(core, ({ assignment }) => assignment);
  return { kind, key, value: value && { ...value, generation: core.generationId + 1 } };
}
