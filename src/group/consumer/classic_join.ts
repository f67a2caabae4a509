/**
 * JoinGroup to a consumer group: a member of the classic protocol lives among the others.
 *
 * It is told no leader and no members, since the broker assigns: it goes on to SyncGroup at once. Its
 * generation is its member epoch. What it owns it says in its subscription (KIP-429), which stands for
 * the owned partitions of a heartbeat.
 *
 * Source: KIP-848 "Classic Protocol in Consumer Group"; kafka:
 * GroupMetadataManager.classicGroupJoinToConsumerGroup.
 */
import { readSubscription, type Subscription } from "../../api/consumer_protocol.ts";
import { ErrorCode } from "../../api/error_code.ts";
import { errorResponse } from "../error_response.ts";
import type { JoinGroupRequest, ResponseTo } from "../group_request.ts";
import type { Turn } from "../turn.ts";
import { type ChangeInput, type Epoch, MemberChange } from "./change.ts";
import type { ConsumerCore } from "./core.ts";
import { downgrade, isDowngradeByReplacement } from "./downgrade.ts";
import {
  newMemberId,
  ownStaticMember,
  refuseFull,
  replacing,
  type Subscribed,
} from "./heartbeat.ts";
import { NAMES_MAX } from "./heartbeat_check.ts";
import { type ClassicProtocol, type ConsumerMember, distinctNames, newMember } from "./member.ts";
import { nameOf } from "./member_name.ts";
import { Refusal } from "./refusal.ts";
import { CONSUMER_PROTOCOL_TYPE, topicPartitionsOf } from "./upgrade.ts";

type JoinBody = JoinGroupRequest["body"];
export type JoinResponse = ResponseTo<JoinGroupRequest>;

/** From this version on a dynamic member joins with an id that it was given first (KIP-394). */
const MEMBER_ID_REQUIRED_VERSION = 4;

export function onClassicJoin(
  core: ConsumerCore,
  turn: Turn,
  request: JoinGroupRequest,
): JoinResponse | Refusal {
  const { body, caller } = request;
  const isUnknown = body.memberId === "";
  const memberId = isUnknown ? newMemberId(turn) : body.memberId;
  const full = refuseFull(core, turn, memberId);
  if (full !== undefined) return full;
  const unsupported = refuseProtocols(core, body);
  if (unsupported !== undefined) return unsupported;
  const isDynamic = body.groupInstanceId === null;
  if (isUnknown && isDynamic && caller.apiVersion >= MEMBER_ID_REQUIRED_VERSION) {
    return { ...errorResponse(request, ErrorCode.MemberIdRequired), memberId };
  }
  const subscription = readable(body);
  if (subscription instanceof Refusal) return subscription;
  const subscribed = subscribedMember(core, body, memberId);
  if (subscribed instanceof Refusal) return subscribed;
  const { member: before, records } = subscribed;
  const after = told(before, { body, caller }, subscription);
  const owned = topicPartitionsOf(subscription.ownedPartitions, turn.image);
  const member = joined(core, { turn, core, before, after, owned, records });
  if (member instanceof Refusal) return member;
  return {
    errorCode: ErrorCode.None,
    leader: "",
    members: [],
    memberId,
    generationId: member.memberEpoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: after.classic?.supportedProtocols[0]?.name ?? "",
  };
}

/** At least one of its protocols is known to all classic members. */
function refuseProtocols(
  { state }: ConsumerCore,
  { memberId, protocolType, protocols }: JoinBody,
): Refusal | undefined {
  const isSupported = protocolType === CONSUMER_PROTOCOL_TYPE &&
    state.isSupportedByClassicMembers(protocols.map(({ name }) => name));
  if (isSupported) return undefined;
  return new Refusal(
    ErrorCode.InconsistentGroupProtocol,
    `Member ${memberId}'s protocols are not supported.`,
  );
}

/** It says the same in all of its protocols. */
function readable({ protocols }: JoinBody): Subscription | Refusal {
  const [first] = protocols;
  const subscription = first === undefined ? undefined : readSubscription(first.metadata);
  if (subscription === undefined) {
    return new Refusal(
      ErrorCode.UnknownServerError,
      "The embedded consumer protocol is malformed.",
    );
  }
  return subscription.topics.length > NAMES_MAX
    ? new Refusal(ErrorCode.InvalidRequest, `A member subscribes to ${NAMES_MAX} topics at most.`)
    : subscription;
}

function subscribedMember(
  core: ConsumerCore,
  { memberId: askedId, groupInstanceId }: JoinBody,
  memberId: string,
): Subscribed | Refusal {
  const { state } = core;
  const known = state.members.get(memberId) ?? newMember(memberId);
  if (groupInstanceId === null) return { member: known, records: [] };
  if (askedId !== "") {
    const member = ownStaticMember(core, memberId, groupInstanceId);
    return member instanceof Refusal ? member : { member, records: [] };
  }
  // Its client does not know its id: whoever had the name before, of either protocol, gives way.
  const replaced = state.staticMember(groupInstanceId);
  return replaced === undefined
    ? { member: known, records: [] }
    : replacing(core, replaced, memberId);
}

function told(
  before: ConsumerMember,
  { body, caller }: Pick<JoinGroupRequest, "body" | "caller">,
  subscription: Subscription,
): ConsumerMember {
  const { rebalanceTimeoutMs, sessionTimeoutMs } = body;
  return {
    ...before,
    instanceId: body.groupInstanceId ?? before.instanceId,
    rackId: subscription.rackId || before.rackId,
    // Version 0 has one timeout for both.
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
    subscribedTopicNames: distinctNames(subscription.topics),
    // The classic protocol has no patterns: its clients look at the topics themselves.
    subscribedTopicRegex: "",
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    classic: { sessionTimeoutMs, supportedProtocols: distinctProtocols(body.protocols) },
  };
}

/** Of two of one name the first counts. */
function distinctProtocols(protocols: readonly ClassicProtocol[]): readonly ClassicProtocol[] {
  const names = new Set<string>();
  return protocols.filter(({ name }) => !names.has(name) && names.add(name));
}

function joined(core: ConsumerCore, input: ChangeInput): ConsumerMember | Refusal {
  const { turn, after } = input;
  const { timers } = core.memory;
  const change = new MemberChange(input);
  const epoch = change.subscribe();
  if (epoch instanceof Refusal) return epoch;
  const replaced = core.state.staticMember(after.instanceId);
  if (replaced !== undefined && isDowngradeByReplacement(core, turn, replaced)) {
    return downgraded(core, { input, change, epoch, replaced });
  }
  const member = change.advance(epoch);
  if (member instanceof Refusal) return member;
  change.write();
  const { memberId, rebalanceTimeoutMs } = after;
  timers.cancelJoin(memberId);
  timers.startSession(memberId, turn.now + (after.classic?.sessionTimeoutMs ?? 0));
  timers.startSync(memberId, turn.now + rebalanceTimeoutMs);
  return member;
}

/** The one member of the consumer protocol came back as a classic one: the group follows it. */
function downgraded(
  core: ConsumerCore,
  { input, change, epoch, replaced }: {
    readonly input: ChangeInput;
    readonly change: MemberChange;
    readonly epoch: Epoch;
    readonly replaced: ConsumerMember;
  },
): ConsumerMember | Refusal {
  const { turn, after } = input;
  // The classic group makes an assignment for another subscription.
  const member = epoch.isBumped ? after : change.advanceToKnown();
  if (member instanceof Refusal) return member;
  change.write();
  const others = [...core.state.members.values()].filter((one) => one !== replaced);
  downgrade(core, turn, {
    members: [...others, member],
    replacement: { replacedId: replaced.memberId, member },
    reason: `${nameOf(after)} came back${epoch.isBumped ? " with another subscription" : ""}`,
  });
  return member;
}
