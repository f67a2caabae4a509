/**
 * The meaning of one API: a typed request in, a typed response out.
 *
 * A handler never sees the wire. It answers at once where it can, with a promise where it must wait
 * (for a disk, for records), and with `NO_REPLY` where the protocol wants none.
 */
import type { Api, RequestOf, ResponseInput } from "../api/schema.ts";
import type { Refusal } from "../metadata/refusal.ts";
import type { BrokerContext, Call } from "./broker_context.ts";

/** Produce with acks=0 is not answered. */
export const NO_REPLY = Symbol("no reply");

/** The request cannot be answered; the connection is closed for this reason. */
export class CloseConnection {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

export type Answer<A extends Api> = ResponseInput<A> | typeof NO_REPLY | CloseConnection;

export interface Handler<A extends Api = Api> {
  readonly api: A;
  /** Whether a node without the role of a broker serves it too, and one that is still starting. */
  readonly isOfEveryNode?: boolean;
  /** Its answers hold ranges of files, which somebody has to give back: they are encoded at once. */
  readonly hasFiles?: boolean;
  /**
   * There where only the active controller decides: at any other node the request goes to it whole.
   * What is answered where nobody can say that something was decided.
   */
  whenUndecided?(request: RequestOf<A>, refusal: Refusal, call: Call): Answer<A>;
  handle(
    broker: BrokerContext,
    request: RequestOf<A>,
    call: Call,
  ): Answer<A> | Promise<Answer<A>>;
}

/** Keeps the types of API and handler together, and forgets them for the registry. */
export function defineHandler<A extends Api>(handler: Handler<A>): Handler {
  return handler as unknown as Handler;
}
