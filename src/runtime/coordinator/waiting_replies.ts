/**
 * Who has asked a shard and has no answer yet: those whose answer is not decided, by their token, and
 * those whose answer is, parked until what it rests on is committed.
 *
 *     asked ─► decided ─► parked at an offset ─► high watermark ─► answered
 */
import { ErrorCode } from "../../api/error_code.ts";
import type { Offset } from "../../ground/numbers.ts";
import { errorResponse } from "../../group/error_response.ts";
import type { GroupRequest, ResponseTo } from "../../group/group_request.ts";

/** One question; the answer goes to `settle` where somebody waits by then, else it lies in `response`. */
export interface Asked {
  readonly request: GroupRequest;
  settle: ((response: unknown) => void) | undefined;
  response: unknown;
}

interface Parked {
  readonly offset: Offset;
  readonly asked: Asked;
  readonly response: unknown;
}

export class WaitingReplies {
  readonly #asked = new Map<number, Asked>();
  #parked: Parked[] = [];
  #nextToken = 0;

  /** The question, and the token that its answer will name. */
  add(request: GroupRequest): { readonly id: number; readonly asked: Asked } {
    const id = this.#nextToken++;
    const asked: Asked = { request, settle: undefined, response: undefined };
    this.#asked.set(id, asked);
    return { id, asked };
  }

  /** Undefined where it was answered before. */
  take(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  /** Answered when everything below `offset` is committed. */
  park(asked: Asked, offset: Offset, response: unknown): void {
    this.#parked.push({ offset, asked, response });
  }

  release(highWatermark: Offset): void {
    if (this.#parked.length === 0) return;
    const parked = this.#parked;
    this.#parked = [];
    for (const one of parked) {
      if (one.offset <= highWatermark) settle(one.asked, one.response);
      else this.#parked.push(one);
    }
  }

  /** Whoever has no decided answer yet. */
  refuseAsked(errorCode: ErrorCode): void {
    const waiting = [...this.#asked.values()];
    this.#asked.clear();
    for (const asked of waiting) refuse(asked, errorCode);
  }

  /** Everybody: what was decided may be lost. */
  refuseAll(errorCode: ErrorCode): void {
    this.refuseAsked(errorCode);
    const parked = this.#parked;
    this.#parked = [];
    for (const { asked } of parked) refuse(asked, errorCode);
  }

  /** Without a word to anybody. */
  forget(): void {
    this.#asked.clear();
    this.#parked = [];
  }
}

export function settle(asked: Asked, response: unknown): void {
  if (asked.settle === undefined) asked.response = response;
  else asked.settle(response);
}

export function refuse(asked: Asked, errorCode: ErrorCode): void {
  settle(asked, refusalOf(asked.request, errorCode));
}

/**
 * An error as its API tells it (kafka: GroupCoordinatorService): a heartbeat while groups are loaded is
 * none, because no member is fenced for that; and who fetches offsets with a client before Kafka 3.9
 * only knows that the coordinator is elsewhere.
 */
export function refusalOf<Request extends GroupRequest>(
  request: Request,
  errorCode: ErrorCode,
): ResponseTo<Request> {
  const { kind } = request;
  if (kind === "Heartbeat" && errorCode === ErrorCode.CoordinatorLoadInProgress) {
    return errorResponse(request, ErrorCode.None);
  }
  if (kind === "OffsetFetch" && errorCode === ErrorCode.CoordinatorNotAvailable) {
    return errorResponse(request, ErrorCode.NotCoordinator);
  }
  return errorResponse(request, errorCode);
}
