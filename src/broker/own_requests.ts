/**
 * What the requests of other nodes are answered with: each of mq's own APIs with the part of this node
 * that means it. Who asks in the name of another node is refused.
 */
import { allocateProducerIds } from "../api/own/allocate_producer_ids.ts";
import { alterPartition } from "../api/own/alter_partition.ts";
import { brokerHeartbeat } from "../api/own/broker_heartbeat.ts";
import { forward, type ForwardRequest, type ForwardResponse } from "../api/own/forward.ts";
import { metadataFetch } from "../api/own/metadata_fetch.ts";
import { registerBroker } from "../api/own/register_broker.ts";
import { snapshotFetch } from "../api/own/snapshot_fetch.ts";
import { ErrorCode } from "../api/error_code.ts";
import type { Controller } from "../controller/controller.ts";
import type { Trace } from "../env/trace.ts";
import { AssertionFailure } from "../ground/assert.ts";
import { toOffset } from "../ground/numbers.ts";
import { type OwnHandler, ownHandler, type PeerIdentity } from "../runtime/peers/peer_session.ts";
import type { MetadataQuorum } from "../runtime/quorum/metadata_quorum.ts";
import type { MetadataServer } from "../runtime/quorum/metadata_server.ts";
import { NotController } from "../runtime/quorum/not_controller.ts";

export interface OwnRequestsOptions {
  readonly controller: Controller;
  readonly quorum: MetadataQuorum;
  readonly server: MetadataServer;
  readonly trace: Trace;
  /** Undefined while this node cannot answer clients' requests yet. */
  readonly onForwarded: () =>
    | ((frame: Uint8Array) => Promise<Uint8Array | undefined>)
    | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** By key. Of a node with the role of a controller; any other answers none of them. */
export function ownRequests(options: OwnRequestsOptions): ReadonlyMap<number, OwnHandler> {
  const { controller, server } = options;
  const handlers: readonly OwnHandler[] = [
    ownHandler(metadataFetch, (request) => server.fetch(request)),
    ownHandler(snapshotFetch, (request) => server.snapshotChunk(request)),
    ownHandler(
      registerBroker,
      (request, peer) =>
        isOwn(request, peer) ? controller.register(request) : {
          errorCode: ErrorCode.ClusterAuthorizationFailed,
          errorMessage: `Node ${peer.nodeId} cannot register broker ${request.brokerId}.`,
          brokerEpoch: -1,
        },
    ),
    ownHandler(
      brokerHeartbeat,
      (request, peer) =>
        isOwn(request, peer) ? controller.heartbeat(request) : {
          errorCode: ErrorCode.ClusterAuthorizationFailed,
          isCaughtUp: false,
          isFenced: true,
          shouldShutDown: false,
        },
    ),
    ownHandler(
      allocateProducerIds,
      (request, peer) =>
        isOwn(request, peer) ? controller.allocateProducerIds(request) : {
          errorCode: ErrorCode.ClusterAuthorizationFailed,
          firstProducerId: -1,
          count: 0,
        },
    ),
    ownHandler(
      alterPartition,
      (request, peer) =>
        isOwn(request, peer)
          ? controller.alterPartition(request)
          : { errorCode: ErrorCode.ClusterAuthorizationFailed, partitions: [] },
    ),
    ownHandler(forward, (request) => onForward(options, request)),
  ];
  return new Map(handlers.map((handler) => [handler.api.key, handler]));
}

function isOwn({ brokerId }: { readonly brokerId: number }, { nodeId }: PeerIdentity): boolean {
  return brokerId === nodeId;
}

async function onForward(
  { quorum, onForwarded, trace }: OwnRequestsOptions,
  { frame }: ForwardRequest,
): Promise<ForwardResponse> {
  const answer = onForwarded();
  if (!quorum.isLeader || answer === undefined) {
    return notForwarded(quorum, ErrorCode.NotController);
  }
  try {
    const answered = await answer(frame);
    if (answered === undefined) return notForwarded(quorum, ErrorCode.InvalidRequest);
    return { errorCode: ErrorCode.None, frame: answered, metadataOffset: quorum.appliedOffset };
  } catch (error) {
    if (error instanceof NotController) {
      const errorCode = error.isDefinite ? ErrorCode.NotController : ErrorCode.RequestTimedOut;
      return notForwarded(quorum, errorCode);
    }
    if (error instanceof AssertionFailure) throw error;
    const message = error instanceof Error ? error.message : String(error);
    trace.event("error", "a forwarded request failed", { error: message });
    return notForwarded(quorum, ErrorCode.UnknownServerError);
  }
}

function notForwarded(quorum: MetadataQuorum, errorCode: ErrorCode): ForwardResponse {
  const leader = quorum.leader();
  const isElsewhere = leader !== undefined && !quorum.isLeader;
  return {
    errorCode,
    frame: NO_BYTES,
    metadataOffset: toOffset(0),
    ...(isElsewhere ? { leaderId: leader.id } : {}),
  };
}
