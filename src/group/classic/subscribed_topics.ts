/**
 * Which topics the members of a group of consumers read, as far as the coordinator can tell.
 *
 * The metadata of members is opaque to the coordinator but for this: offsets of topics that are in use
 * are neither deleted nor expired. It is read when somebody asks, not with every generation.
 *
 * Source: kafka ClassicGroup.computeSubscribedTopics, isSubscribedToTopic.
 */
import { readSubscription } from "../../api/consumer_protocol.ts";
import { metadataOf } from "./classic_member.ts";
import type { ClassicCore } from "./core.ts";

/** The protocol type of consumers; others (Connect, Streams' own) say things of their own. */
export const CONSUMER_PROTOCOL_TYPE = "consumer";

export function isOfConsumers({ protocolType }: ClassicCore): boolean {
  return protocolType === CONSUMER_PROTOCOL_TYPE;
}

/** Notes what the members say as a generation begins. */
export function snapshotSubscriptions(core: ClassicCore): void {
  const { members, protocolName } = core;
  core.subscriptions = undefined;
  core.subscribedTopics = "unknown";
  if (!isOfConsumers(core) || (members.size > 0 && protocolName === undefined)) return;
  const subscriptions: Uint8Array[] = [];
  for (const member of members.values()) {
    const metadata = metadataOf(member, protocolName ?? "");
    if (metadata === undefined) return;
    subscriptions.push(metadata);
  }
  core.subscriptions = subscriptions;
  core.subscribedTopics = "unread";
}

/** Undefined: it cannot be told. */
export function subscribedTopicsOf(core: ClassicCore): ReadonlySet<string> | undefined {
  if (core.subscribedTopics === "unread") {
    core.subscribedTopics = topicsIn(core.subscriptions ?? []) ?? "unknown";
    core.subscriptions = undefined;
  }
  return core.subscribedTopics === "unknown" ? undefined : core.subscribedTopics;
}

/** A group of consumers of which it cannot be told is taken to read everything. */
export function isSubscribedTo(core: ClassicCore, topic: string): boolean {
  return subscribedTopicsOf(core)?.has(topic) ?? isOfConsumers(core);
}

function topicsIn(subscriptions: readonly Uint8Array[]): ReadonlySet<string> | undefined {
  const topics = new Set<string>();
  for (const bytes of subscriptions) {
    const subscription = readSubscription(bytes);
    if (subscription === undefined) return undefined;
    for (const topic of subscription.topics) topics.add(topic);
  }
  return topics;
}
