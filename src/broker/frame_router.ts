/**
 * Where a frame goes: requests of other nodes to the peers' side, which listens from the first moment,
 * those of clients to the dispatch, for which they wait while the node does not know its cluster yet.
 */
import { type PeerServices, PeerSession } from "../runtime/peers/peer_session.ts";
import { isOwnRequest } from "../wire/own_message.ts";
import type { CallConnection } from "./broker_context.ts";
import type { Dispatch } from "./dispatch.ts";
import { Gate } from "./gate.ts";
import type { Reply } from "./reply_queue.ts";

const STOPPING: Reply = { kind: "close", reason: "the node stops" };

/** Why a peer is refused has been counted and told already, once in a minute at most. */
function withoutReason(reply: Reply): Reply {
  return reply.kind === "close" ? { kind: "close", reason: "" } : reply;
}

export class FrameRouter {
  readonly #gate = new Gate();
  #peers: PeerServices | undefined;
  #dispatch: Dispatch | undefined;

  takePeers(peers: PeerServices): void {
    this.#peers = peers;
  }

  takeClients(dispatch: Dispatch): void {
    this.#dispatch = dispatch;
    this.#gate.open();
  }

  /** Nobody will be answered any more. */
  abandon(): void {
    this.#gate.abandon();
  }

  onFrame(frame: Uint8Array, connection: CallConnection): Reply | Promise<Reply> {
    if (isOwnRequest(frame)) return this.#onPeerFrame(frame, connection);
    if (this.#dispatch !== undefined) return this.#dispatch.onFrame(frame, connection);
    const kept = frame.slice(); // lent for the time of this call
    return this.#gate.whenOpen().then((isOpen) =>
      isOpen ? this.onFrame(kept, connection) : STOPPING
    );
  }

  #onPeerFrame(frame: Uint8Array, connection: CallConnection): Reply | Promise<Reply> {
    if (this.#peers === undefined) return STOPPING;
    const takesPeers = connection.scope !== "clients";
    connection.peerSession ??= new PeerSession(this.#peers, connection.remote, takesPeers);
    const reply = connection.peerSession.onFrame(frame);
    return reply instanceof Promise ? reply.then(withoutReason) : withoutReason(reply);
  }
}
