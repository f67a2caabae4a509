/**
 * The one error of the client: what went wrong, by Kafka's name where Kafka has one.
 *
 * `code` is closed: a name of Kafka's error table ("UNKNOWN_TOPIC_OR_PARTITION"), or one of
 *
 *     UNREACHABLE          no connection, or it broke before the answer came
 *     TIMEOUT              the answer, or the delivery of a record, took too long
 *     ABORTED              the signal fired, or the client was closed
 *     UNSUPPORTED_VERSION  the broker does not speak a version of the API that we speak
 *     PROTOCOL             the broker sent what cannot be read
 *     BUFFER_FULL          a record was handed in without waiting for room
 *
 * Everything that leaves this folder as a failure is a `ClientError`.
 */
import { type ErrorCode, errorFacts, errorName } from "../api/error_code.ts";
import { PeerFault } from "../env/network.ts";

export interface ClientErrorOptions {
  readonly retriable?: boolean;
  readonly hint?: string;
  readonly cause?: unknown;
}

export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: string;
  /** Whether the same call may succeed later. */
  readonly retriable: boolean;
  /** What the caller can do about it, where something is known. */
  readonly hint?: string;

  constructor(code: string, message: string, options: ClientErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retriable = options.retriable ?? false;
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

const HINT_OF: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: "Create the topic, or check its name",
  TOPIC_ALREADY_EXISTS: "Take another name, or delete the topic first",
  INVALID_TOPIC_EXCEPTION: "Use letters, digits, '.', '_' and '-', at most 249 of them",
  INVALID_REPLICATION_FACTOR: "Ask for at most as many replicas as there are brokers",
  KAFKA_STORAGE_ERROR:
    "The log of that broker says what is wrong: a full disk, one that has failed, a damaged log",
  MESSAGE_TOO_LARGE: "Raise the topic's max.message.bytes, or send smaller records",
  OFFSET_OUT_OF_RANGE: "Read from 'start', or look up the offsets that exist",
  NOT_ENOUGH_REPLICAS: "Wait for replicas to come back, or lower min.insync.replicas",
};

/** Our brokers say which directory is full; Kafka's have no words for it. */
const ROOM_HINT = "Make room: delete or trim topics, shorten their retention, or enlarge the disk";

/** The error that a broker's error code stands for; `action` reads "Cannot delete topic orders". */
export function errorOfCode(code: number, action: string, detail?: string | null): ClientError {
  const name = errorName(code);
  // Kafka's sentences end with a full stop, ours do not.
  const said = detail === undefined || detail === null ? "" : detail.replace(/\.$/, "");
  const hint = name === "KAFKA_STORAGE_ERROR" && / is full: /.test(said)
    ? ROOM_HINT
    : HINT_OF[name];
  return new ClientError(name, `${action}: ${said === "" ? errorFacts(code).message : said}`, {
    retriable: errorFacts(code as ErrorCode).retriable,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The error in one of several results; none where it went well. */
export function errorOfResult(
  result: { readonly errorCode: number; readonly errorMessage: string | null } | undefined,
  action: string,
): { readonly error?: ClientError } {
  if (result === undefined) {
    return { error: new ClientError("PROTOCOL", `${action}: the broker's answer leaves it out`) };
  }
  if (result.errorCode === 0) return {};
  return { error: errorOfCode(result.errorCode, action, result.errorMessage) };
}

/** Turns whatever was thrown into a `ClientError`; the action is put in front. */
export function errorFrom(thrown: unknown, action: string): ClientError {
  if (thrown instanceof ClientError) return thrown;
  if (thrown instanceof PeerFault) {
    return new ClientError("UNREACHABLE", `${action}: ${thrown.message}`, {
      retriable: true,
      hint: "Check that the broker runs and that its address is right",
      cause: thrown,
    });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ClientError("PROTOCOL", `${action}: ${message}`, { cause: thrown });
}

export function abortedError(action: string): ClientError {
  return new ClientError("ABORTED", `${action}: stopped`);
}

export function timeoutError(action: string, timeoutMs: number): ClientError {
  return new ClientError("TIMEOUT", `${action}: no answer within ${Math.round(timeoutMs)} ms`, {
    retriable: true,
  });
}
