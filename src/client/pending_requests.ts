/**
 * The requests of one connection that wait for their answers, in the order in which they were sent,
 * which is the order in which answers come.
 */
import type { Api } from "../api/schema.ts";
import type { Timer } from "../env/clock.ts";
import { Reader } from "../ground/reader.ts";
import { readResponseHeader } from "../wire/header.ts";
import { ClientError } from "./client_error.ts";

export interface PendingRequest {
  readonly correlationId: number;
  readonly api: Api;
  readonly version: number;
  /** Fires when the answer is overdue. */
  readonly timer: Timer;
  /** Reads the body; returns why it cannot be read, and then `onFailure` is called as well. */
  onAnswer(reader: Reader): string | undefined;
  onFailure(error: ClientError): void;
}

export class PendingRequests {
  #requests: PendingRequest[] = [];

  get count(): number {
    return this.#requests.length;
  }

  push(request: PendingRequest): void {
    this.#requests.push(request);
  }

  /** Gives a frame to the request it answers; returns why it is no answer that can be used. */
  answer(frame: Uint8Array): string | undefined {
    const request = this.#requests[0];
    if (request === undefined) return "an answer came that nobody asked for";
    const reader = new Reader(frame);
    const { correlationId } = readResponseHeader(reader, request.api, request.version);
    if (reader.failure !== undefined) return reader.failure;
    if (correlationId !== request.correlationId) {
      return `an answer has correlation id ${correlationId} in place of ${request.correlationId}`;
    }
    const failure = request.onAnswer(reader);
    if (failure !== undefined) return failure; // it fails with all the others
    request.timer.cancel();
    this.#requests.shift();
    return undefined;
  }

  failAll(error: ClientError): void {
    const requests = this.#requests;
    this.#requests = [];
    for (const { timer, onFailure } of requests) {
      timer.cancel();
      onFailure(error);
    }
  }
}
