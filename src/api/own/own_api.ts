/**
 * The APIs of mq itself, between the nodes of one cluster: keys from 0x4000 up (design.md, D2).
 *
 * They travel in Kafka's frames with Kafka's request header 1; the body is one msgpack value, which
 * `wire/own_message.ts` reads and writes. A body is checked field by field before anybody sees it:
 * `asRequest` and `asResponse` give it typed, or the reason why it is none. Fields that are not known
 * are left alone, so that a newer node may send more; a field that changes its meaning needs a new
 * version of the API.
 */

/** Kafka's own keys are below. */
export const OWN_KEY_MIN = 0x4000;

/** What a call waits behind: calls of one lane are answered in order, on a connection of their own. */
export type Lane = "raft" | "call" | "poll" | "forward" | "look";

export interface OwnApi<Req, Res> {
  readonly key: number;
  readonly name: string;
  readonly version: number;
  readonly lane: Lane;
  /** No reply frame comes: what is lost is sent again by whoever sent it. */
  readonly isOneWay: boolean;
  /** Whether it does no harm where it is carried out twice. */
  readonly isRepeatable: boolean;
  /** Who can answer: the active controller only, or every controller. */
  readonly askedOf: "leader" | "any";
  /** What is packed in place of the request, where that is shorter. */
  packRequest?(request: Req): unknown;
  /** The request in a decoded value, or why there is none. */
  asRequest(value: unknown): Req | string;
  /** The answer in a decoded value, or why there is none. */
  asResponse(value: unknown): Res | string;
}

export interface OwnApiCard<Req, Res> {
  readonly key: number;
  readonly name: string;
  readonly version: number;
  /** "call" where left out. */
  readonly lane?: Lane;
  readonly isOneWay?: boolean;
  /** True where left out. */
  readonly isRepeatable?: boolean;
  /** "leader" where left out. */
  readonly askedOf?: "leader" | "any";
  packRequest?(request: Req): unknown;
  asRequest(value: unknown): Req | string;
  asResponse(value: unknown): Res | string;
}

export function defineOwnApi<Req, Res>(card: OwnApiCard<Req, Res>): OwnApi<Req, Res> {
  return { lane: "call", isOneWay: false, isRepeatable: true, askedOf: "leader", ...card };
}

/** Of any API: for tables. */
export type AnyOwnApi = OwnApi<unknown, unknown>;
