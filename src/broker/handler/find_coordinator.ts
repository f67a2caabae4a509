/**
 * FindCoordinator: which broker coordinates a group.
 *
 * The topic that keeps groups is made when the first one is asked for, and waited for: a client that
 * was sent away would come back no sooner than after its retry backoff.
 * There are no transactions and no share groups yet.
 */
import { ErrorCode, errorFacts } from "../../api/error_code.ts";
import { findCoordinator } from "../../api/find_coordinator.ts";
import { OFFSETS_TOPIC } from "../../metadata/topic_name.ts";
import type { BrokerContext, Call } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { createMissingTopics } from "../missing_topics.ts";

/** Kafka: FindCoordinatorRequest.CoordinatorType. */
const GROUP = 0;
const TRANSACTION = 1;
const KEYS_FROM_VERSION = 4;

interface Place {
  readonly errorCode: ErrorCode;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

type Found = Answer<typeof findCoordinator>;

export const findCoordinatorHandler = defineHandler({
  api: findCoordinator,
  handle(broker, request, call): Found | Promise<Found> {
    const { key, keyType, coordinatorKeys } = request;
    const keys = call.apiVersion < KEYS_FROM_VERSION ? [key] : coordinatorKeys;
    const answer = (): Found => answerOf(keys.map((one) => find(broker, keyType, one)), keys, call);
    if (keyType !== GROUP || broker.image.topic(OFFSETS_TOPIC) !== undefined) return answer();
    return createMissingTopics(broker, [OFFSETS_TOPIC], call.clientId).then(answer);
  },
});

function find(broker: BrokerContext, keyType: number, key: string): Place {
  if (keyType === TRANSACTION) return nowhere(ErrorCode.CoordinatorNotAvailable);
  if (keyType !== GROUP) return nowhere(ErrorCode.InvalidRequest);
  const { leader = -1 } = broker.groups.coordinatorOf(key) ?? {};
  const node = broker.image.isUnfenced(leader) ? broker.image.broker(leader) : undefined;
  if (node === undefined) return nowhere(ErrorCode.CoordinatorNotAvailable);
  return { errorCode: ErrorCode.None, nodeId: leader, host: node.host, port: node.port };
}

function nowhere(errorCode: ErrorCode): Place {
  return { errorCode, nodeId: -1, host: "", port: -1 };
}

function answerOf(places: readonly Place[], keys: readonly string[], call: Call): Found {
  const [first = nowhere(ErrorCode.InvalidRequest)] = places;
  if (call.apiVersion < KEYS_FROM_VERSION) {
    return { ...first, errorMessage: messageOf(first), coordinators: [] };
  }
  return {
    coordinators: places.map((place, at) => {
      return { key: keys[at] ?? "", ...place, errorMessage: messageOf(place) };
    }),
  };
}

function messageOf({ errorCode }: Place): string {
  return errorCode === ErrorCode.None ? "" : errorFacts(errorCode).message;
}
