/**
 * Requests that only the active controller decides, sent there whole from a node that is not it.
 *
 *     client ─► broker ── Forward ─► active controller: the same handler, its answer's bytes ──┐
 *     client ◄─ broker ◄─ waits until its own metadata has what was decided ◄──────────────────┘
 *
 * What is not known to have been decided is not tried again: asked twice, CreateTopics would say that
 * the topic is there already. The client is told that it timed out, and looks for itself. What is
 * larger than nodes take from each other is refused before it leaves: the connection would be closed
 * for it, with all that is under way there.
 */
import { ErrorCode } from "../api/error_code.ts";
import { forward } from "../api/own/forward.ts";
import { PeerFault } from "../env/network.ts";
import type { Refusal } from "../metadata/refusal.ts";
import { CallFault } from "../runtime/peers/call_fault.ts";
import type {
  ControllerCallOptions,
  ControllerCalls,
} from "../runtime/peers/controller_channel.ts";
import type { MetadataView } from "../runtime/quorum/metadata_view.ts";
import { NotController } from "../runtime/quorum/not_controller.ts";

export type Forwarded =
  | { readonly kind: "answer"; readonly frame: Uint8Array }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export interface ForwarderOptions {
  readonly calls: ControllerCalls;
  readonly view: MetadataView;
  /** Of a whole request between nodes. */
  readonly frameBytesMax: number;
  /** How long the node's own metadata may take to have what was decided. */
  readonly followMs: number;
}

/** Header and names of the fields around a frame, and then some. */
const ENVELOPE_BYTES = 256;
const UTF8_BYTES_MAX = 3;

export class Forwarder {
  readonly #options: ForwarderOptions;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** `frame` is header and body of a request, and nobody else's. */
  async forward(
    frame: Uint8Array,
    clientId: string | null,
    options: ControllerCallOptions = {},
  ): Promise<Forwarded> {
    const { calls, view, followMs, frameBytesMax } = this.#options;
    const bytes = frame.length + ENVELOPE_BYTES + UTF8_BYTES_MAX * (clientId?.length ?? 0);
    if (bytes > frameBytesMax) {
      return { kind: "refused", refusal: tooLarge(frame.length, frameBytesMax) };
    }
    try {
      const answer = await calls.call(forward, { frame, clientId }, options);
      if (answer.errorCode !== ErrorCode.None) return refused(answer.errorCode as ErrorCode);
      // Where it takes longer the client is answered all the same: it was decided.
      await view.whenApplied(answer.metadataOffset, followMs);
      return { kind: "answer", frame: answer.frame };
    } catch (error) {
      return { kind: "refused", refusal: undecided(error) };
    }
  }
}

function tooLarge(bytes: number, frameBytesMax: number): Refusal {
  return {
    errorCode: ErrorCode.PolicyViolation,
    errorMessage: `A request of ${bytes} bytes is larger than nodes pass on to each other ` +
      `(mq.peer.request.max.bytes = ${frameBytesMax}): ask for less at once.`,
  };
}

/** Why nobody can say that something was decided, as a client is told. Throws what is none of it. */
export function undecided(error: unknown): Refusal {
  if (!(error instanceof NotController || error instanceof PeerFault)) throw error;
  const isDefinite = error instanceof NotController
    ? error.isDefinite
    : error instanceof CallFault && !error.wasSent;
  const refusal = refusalOf(isDefinite ? ErrorCode.NotController : ErrorCode.RequestTimedOut);
  // It names the node that was asked.
  return { ...refusal, errorMessage: `${refusal.errorMessage} (${error.message})` };
}

function refused(errorCode: ErrorCode): Forwarded {
  return { kind: "refused", refusal: refusalOf(errorCode) };
}

function refusalOf(errorCode: ErrorCode): Refusal {
  switch (errorCode) {
    case ErrorCode.NotController:
      return { errorCode, errorMessage: "No controller of the cluster is active now." };
    case ErrorCode.RequestTimedOut:
      return {
        errorCode,
        errorMessage: "The active controller did not answer in time: it may have been decided.",
      };
    case ErrorCode.PolicyViolation:
      return {
        errorCode,
        errorMessage:
          "It was decided, but the answer is larger than nodes pass on to each other: " +
          "ask for less at once.",
      };
    case ErrorCode.UnsupportedVersion:
      return {
        errorCode,
        errorMessage: "The active controller is of a release that does not know this version.",
      };
    default:
      return { errorCode, errorMessage: "The active controller could not answer." };
  }
}
