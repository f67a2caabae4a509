/**
 * What the requests of other nodes are answered with: each of mq's own APIs with the part of this node
 * that means it. Who asks in the name of another node is refused.
 */
import { allocateProducerIds } from "../api/own/allocate_producer_ids.ts";
import { alterPartition } from "../api/own/alter_partition.ts";
import { brokerHeartbeat } from "../api/own/broker_heartbeat.ts";
import { forward, type ForwardRequest, type ForwardResponse } from "../api/own/forward.ts";
import { metadataFetch, type MetadataFetchResponse } from "../api/own/metadata_fetch.ts";
import { registerBroker } from "../api/own/register_broker.ts";
import { snapshotFetch } from "../api/own/snapshot_fetch.ts";
import { ErrorCode } from "../api/error_code.ts";
import { apiOf, isServed } from "../api/registry.ts";
import type { Controller } from "../controller/controller.ts";
import type { Trace } from "../env/trace.ts";
import { AssertionFailure } from "../ground/assert.ts";
import { Reader } from "../ground/reader.ts";
import { readRequestHeader } from "../wire/header.ts";
import { toOffset } from "../ground/numbers.ts";
import type { ReplicaKey } from "../raft/configuration.ts";
import { type OwnHandler, ownHandler, type PeerIdentity } from "../runtime/peers/peer_session.ts";
import type { PeerRefusals } from "../runtime/peers/refusals.ts";
import type { MetadataQuorum } from "../runtime/quorum/metadata_quorum.ts";
import type { MetadataServer } from "../runtime/quorum/metadata_server.ts";
import { NotController } from "../runtime/quorum/not_controller.ts";

export interface OwnRequestsOptions {
  readonly controller: Controller;
  readonly quorum: MetadataQuorum;
  readonly server: MetadataServer;
  readonly refusals: Pick<PeerRefusals, "add">;
  readonly trace: Trace;
  /** Of a whole answer to another node. */
  readonly frameBytesMax: number;
  /** Undefined while this node cannot answer clients' requests yet. */
  readonly onForwarded: () =>
    | ((frame: Uint8Array) => Promise<Uint8Array | undefined>)
    | undefined;
}

const NO_BYTES = new Uint8Array(0);
/** What is around a frame that is passed on, and then some. */
const ENVELOPE_BYTES = 256;

/** By key. Of a node with the role of a controller; any other answers none of them. */
export function ownRequests(options: OwnRequestsOptions): ReadonlyMap<number, OwnHandler> {
  const { controller, server, quorum, refusals } = options;
  const isOwn = (
    { brokerId }: { readonly brokerId: number },
    { nodeId }: PeerIdentity,
  ): boolean => {
    if (brokerId === nodeId) return true;
    refusals.add("unexpected-identity", `node ${nodeId} speaks for node ${brokerId}`, { nodeId });
    return false;
  };
  const handlers: readonly OwnHandler[] = [
    ownHandler(metadataFetch, (request, peer) => {
      if (!isOwn({ brokerId: request.nodeId }, peer)) {
        return { ...notServed(quorum), errorCode: ErrorCode.ClusterAuthorizationFailed };
      }
      // Who knows of no leader has no news either: it may be cut off, or no voter any more.
      if (quorum.leader() === undefined) return notServed(quorum);
      server.heard(keyOf(peer), request.offset);
      return server.fetch(request);
    }),
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
      (request, peer) => {
        if (!isOwn(request, peer)) {
          return {
            errorCode: ErrorCode.ClusterAuthorizationFailed,
            isCaughtUp: false,
            isFenced: true,
            shouldShutDown: false,
          };
        }
        server.heard(keyOf(peer), toOffset(request.metadataOffset));
        return controller.heartbeat(request);
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

function keyOf({ nodeId, directoryId }: PeerIdentity): ReplicaKey {
  return { id: nodeId, directoryId };
}

function notServed({ node }: MetadataQuorum): MetadataFetchResponse {
  const { committedUpTo: commitOffset, softState: { term } } = node;
  return { errorCode: ErrorCode.NotController, term, commitOffset };
}

async function onForward(
  { quorum, onForwarded, trace, frameBytesMax }: OwnRequestsOptions,
  { frame }: ForwardRequest,
): Promise<ForwardResponse> {
  const answer = onForwarded();
  if (!quorum.isLeader || answer === undefined) {
    return notForwarded(quorum, ErrorCode.NotController);
  }
  try {
    const answered = await answer(frame);
    if (answered === undefined) return notForwarded(quorum, reasonOf(frame));
    // Whoever asked would close the connection for it, and could not tell that it was decided.
    if (answered.length > frameBytesMax - ENVELOPE_BYTES) {
      return notForwarded(quorum, ErrorCode.PolicyViolation);
    }
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

/** Why a frame was not understood: this node may be of an earlier release than the one that asks. */
function reasonOf(frame: Uint8Array): ErrorCode {
  const { apiKey, apiVersion } = readRequestHeader(new Reader(frame));
  const api = apiOf(apiKey);
  const isKnown = api !== undefined && isServed(api, apiVersion);
  return isKnown ? ErrorCode.InvalidRequest : ErrorCode.UnsupportedVersion;
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
