/**
 * The accepting side: one connection that may turn out to be a peer's.
 *
 * A connection becomes a peer's by a valid Hello (this cluster, and the caller expected this very
 * node); before it, and on a listener that takes no peers, every own API is refused and the connection
 * is closed. Whatever is refused is counted by reason and changes nothing.
 *
 * Not here: reading frames, the order of replies, what the APIs do; those are the broker's connection
 * and the handlers that are plugged in.
 */
import { ErrorCode } from "../../api/error_code.ts";
import { hello, type HelloRequest, type HelloResponse } from "../../api/own/hello.ts";
import type { AnyOwnApi, OwnApi } from "../../api/own/own_api.ts";
import { raftMessages, type RaftMessagesRequest } from "../../api/own/raft_messages.ts";
import { ownApiOf } from "../../api/own/registry.ts";
import { AssertionFailure } from "../../ground/assert.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import { type Uuid, ZERO_UUID } from "../../ground/uuid.ts";
import type { ReplicaKey } from "../../raft/configuration.ts";
import type { Message } from "../../raft/message.ts";
import {
  type OwnHeader,
  ownResponseParts,
  readOwnHeader,
  readOwnRequest,
} from "../../wire/own_message.ts";
import type { RaftRefusal } from "./raft_guard.ts";
import { receivedMessage } from "./received_messages.ts";
import type { PeerRefusals, RefusalReason } from "./refusals.ts";

/** Who has said Hello. */
export interface PeerIdentity {
  readonly nodeId: number;
  readonly directoryId: Uuid;
  readonly release: string;
  readonly roles: readonly string[];
  /** What it can work with, where it told. */
  readonly features?: HelloRequest["features"];
  /** Where it takes peers itself, as far as it told. */
  readonly address?: { readonly host: string; readonly port: number };
}

/** What serves one own API. */
export interface OwnHandler {
  readonly api: AnyOwnApi;
  handle(request: unknown, peer: PeerIdentity): unknown;
}

/** Keeps request and answer of one API and its handler together. */
export function ownHandler<Req, Res>(
  api: OwnApi<Req, Res>,
  handle: (request: Req, peer: PeerIdentity) => Res | Promise<Res>,
): OwnHandler {
  return { api, handle };
}

/** What becomes of a frame; `broker/` has the same kinds of reply. */
export type PeerReply =
  | { readonly kind: "parts"; readonly parts: readonly Uint8Array[] }
  | { readonly kind: "none" }
  | { readonly kind: "close"; readonly reason: string };

/** What all sessions of one node share. */
export interface PeerServices {
  readonly self: ReplicaKey;
  readonly clusterId: string;
  readonly crc32c: Crc32c;
  readonly refusals: PeerRefusals;
  /** Of a whole frame; `mq.peer.request.max.bytes`. */
  readonly frameBytesMax: number;
  /** By key; Hello and RaftMessages are answered here. */
  readonly handlers: ReadonlyMap<number, OwnHandler>;
  /** Who leads the metadata quorum, as far as this node knows. */
  leader(): { readonly leaderId?: number | undefined; readonly term: number };
  /** A node that does not vote has nowhere to put them. */
  onRaftMessage?(message: Message): void;
  /** Why a Raft message is not to be heard; all are where it is left out. */
  refuseRaft?(message: Message): RaftRefusal | undefined;
  /** A peer has said Hello: it is alive, and can be dialled again at once (`Peers.onHeardFrom`). */
  onHello?(peer: PeerIdentity): void;
}

/** A Hello is small, and before it nobody is known. */
const HELLO_BYTES_MAX = 16 * 1024;
const NO_REPLY: PeerReply = { kind: "none" };

export class PeerSession {
  readonly #services: PeerServices;
  readonly #takesPeers: boolean;
  readonly #remote: string;
  #peer: PeerIdentity | undefined;
  /** A Hello was refused: nothing more is heard. */
  #isRefused = false;

  /** `remote` is for the log; `takesPeers`: whether the listener does (`controller.listener.names`). */
  constructor(services: PeerServices, remote: string, takesPeers = true) {
    this.#services = services;
    this.#remote = remote;
    this.#takesPeers = takesPeers;
  }

  /** Who is at the other end; undefined until a valid Hello. */
  get peer(): PeerIdentity | undefined {
    return this.#peer;
  }

  /** A frame, without its length, for which `isOwnRequest` holds. Lent: nothing of it is kept. */
  onFrame(frame: Uint8Array): PeerReply | Promise<PeerReply> {
    const { frameBytesMax } = this.#services;
    if (!this.#takesPeers) return this.#refuse("not-a-peer", "this listener takes no peers");
    if (this.#isRefused) return { kind: "close", reason: "a peer that was refused" };
    const bytesMax = this.#peer === undefined ? HELLO_BYTES_MAX : frameBytesMax;
    if (frame.length > bytesMax) {
      return this.#refuse(
        "oversized",
        `a frame of ${frame.length} bytes, at most ${bytesMax} may be`,
      );
    }
    const header = readOwnHeader(frame);
    if (header === undefined) return this.#refuse("garbage", "no header of an own API");
    if (this.#peer === undefined && header.apiKey !== hello.key) {
      return this.#refuse("not-a-peer", `API ${header.apiKey} is for peers of the cluster only`);
    }
    const api = ownApiOf(header.apiKey);
    if (api === undefined || header.apiVersion !== api.version) {
      const detail = `API ${header.apiKey} version ${header.apiVersion}`;
      return this.#refuse("unknown-api", `${detail} is not spoken here`);
    }
    const request = readOwnRequest(api, frame);
    if (typeof request === "string") return this.#refuse("garbage", request);
    if (header.apiKey === hello.key) return this.#onHello(request as HelloRequest, header);
    const peer = this.#peer as PeerIdentity;
    return header.apiKey === raftMessages.key
      ? this.#onRaftMessages(request as RaftMessagesRequest, peer)
      : this.#onCall(request, header, peer);
  }

  #onHello(request: HelloRequest, { correlationId }: OwnHeader): PeerReply {
    const { self, clusterId, leader } = this.#services;
    const refusal = this.#rejectHello(request);
    const response: HelloResponse = {
      errorCode: refusal?.errorCode ?? ErrorCode.None,
      errorMessage: refusal?.detail ?? null,
      nodeId: self.id,
      directoryId: self.directoryId,
      clusterId,
      ...leader(),
    };
    if (refusal === undefined) {
      const { nodeId, directoryId, release, roles, features, address } = request;
      const isNew = this.#peer === undefined;
      const told = {
        ...(features === undefined ? {} : { features }),
        ...(address === undefined ? {} : { address }),
      };
      this.#peer = { nodeId, directoryId, release, roles, ...told };
      if (isNew) this.#services.onHello?.(this.#peer);
    } else {
      this.#isRefused = true;
      this.#count(refusal.reason, refusal.detail);
    }
    return { kind: "parts", parts: ownResponseParts(correlationId, response) };
  }

  #rejectHello(request: HelloRequest): HelloRefusal | undefined {
    const { self, clusterId } = this.#services;
    const { nodeId, directoryId, expected } = request;
    const said = this.#peer;
    if (request.clusterId !== clusterId) {
      return {
        reason: "other-cluster",
        errorCode: ErrorCode.InconsistentClusterId,
        detail: `node ${nodeId} is of cluster ${request.clusterId}, this is ${clusterId}`,
      };
    }
    if (nodeId === self.id) {
      return {
        reason: "own-identity",
        errorCode: ErrorCode.InvalidVoterKey,
        detail: `there is a node ${nodeId} already: this one`,
      };
    }
    if (expected !== undefined && !isExpected(expected, self)) {
      return {
        reason: "unexpected-identity",
        errorCode: ErrorCode.InvalidVoterKey,
        detail:
          `node ${expected.nodeId} with directory ${expected.directoryId} was expected here, ` +
          `this is node ${self.id} with ${self.directoryId}`,
      };
    }
    if (said !== undefined && (said.nodeId !== nodeId || said.directoryId !== directoryId)) {
      return {
        reason: "unexpected-identity",
        errorCode: ErrorCode.InvalidVoterKey,
        detail: `node ${said.nodeId} now says that it is node ${nodeId}`,
      };
    }
    return undefined;
  }

  #onRaftMessages(
    { messages }: RaftMessagesRequest,
    { nodeId, directoryId }: PeerIdentity,
  ): PeerReply {
    const { self, crc32c } = this.#services;
    const route = { from: { id: nodeId, directoryId }, to: self };
    for (const received of messages) {
      const message = receivedMessage(received, route, crc32c);
      if ("reason" in message) this.#count(message.reason, message.detail);
      else this.#give(message);
    }
    return NO_REPLY;
  }

  #give(message: Message): void {
    const { from, kind } = message;
    if (this.#services.onRaftMessage === undefined) {
      this.#count("unknown-voter", `${kind} of node ${from.id}, and this node has no vote`);
      return;
    }
    const refusal = this.#services.refuseRaft?.(message);
    if (refusal !== undefined) this.#count(refusal.reason, refusal.detail);
    else this.#services.onRaftMessage(message);
  }

  #onCall(
    request: unknown,
    { apiKey, correlationId }: OwnHeader,
    peer: PeerIdentity,
  ): PeerReply | Promise<PeerReply> {
    const handler = this.#services.handlers.get(apiKey);
    if (handler === undefined) {
      return this.#refuse("unknown-api", `API ${apiKey} is not served here`);
    }
    const finish = (response: unknown): PeerReply => ({
      kind: "parts",
      parts: ownResponseParts(correlationId, response),
    });
    try {
      const response: unknown = handler.handle(request, peer);
      if (!(response instanceof Promise)) return finish(response);
      return response.then(finish).catch((error: unknown) => this.#onFailure(error, handler, peer));
    } catch (error) {
      return this.#onFailure(error, handler, peer);
    }
  }

  /** A handler that throws is a broken program; the connection goes, the node lives and tells. */
  #onFailure(error: unknown, { api }: OwnHandler, { nodeId }: PeerIdentity): PeerReply {
    if (error instanceof AssertionFailure) throw error;
    const text = error instanceof Error ? error.message : String(error);
    this.#services.refusals.addFailure(api.name, text, { nodeId });
    return { kind: "close", reason: `${api.name} failed` };
  }

  #refuse(reason: RefusalReason, detail: string): PeerReply {
    this.#count(reason, detail);
    return { kind: "close", reason: detail };
  }

  #count(reason: RefusalReason, detail: string): void {
    this.#services.refusals.add(reason, detail, {
      remote: this.#remote,
      nodeId: this.#peer?.nodeId,
    });
  }
}

interface HelloRefusal {
  readonly reason: RefusalReason;
  readonly errorCode: number;
  readonly detail: string;
}

/** Whether a node is the one that is looked for; a directory id of zeros is any. */
export function isExpected(
  expected: { readonly nodeId: number; readonly directoryId: Uuid },
  found: ReplicaKey,
): boolean {
  return expected.nodeId === found.id &&
    (expected.directoryId === ZERO_UUID || expected.directoryId === found.directoryId);
}
