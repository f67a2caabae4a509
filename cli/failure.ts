/**
 * The one error class of the program's edge: a sentence, a code, a remedy, an exit code.
 *
 * Everything that can go wrong below ends here through `failureOf`; nothing here prints.
 */
import { ExitCode, exitCodeOf } from "./exit_code.ts";

export interface FailureDetails {
  /** What to do about it, one sentence. */
  readonly hint?: string | undefined;
  readonly retriable?: boolean;
  /** Where the name of the error does not decide. */
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

export class Failure extends Error {
  override readonly name = "Failure";
  /** Kafka's name of the error, or one of our own in the same spelling. */
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly retriable: boolean;

  constructor(code: string, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.exitCode = details.exitCode ?? exitCodeOf(code);
    this.hint = details.hint;
    this.retriable = details.retriable ?? false;
  }
}

/** A line that was typed wrongly: exit code 2. */
export function usageFailure(message: string, hint?: string): Failure {
  return new Failure("USAGE", message, { hint });
}

/** What the reader of stdout did: nothing more is wanted, and that is no error. */
export class BrokenPipe extends Error {
  override readonly name = "BrokenPipe";
}

/** Shape of the errors of the library, which the edge knows by their shape only. */
interface CodedError {
  readonly code: string;
  readonly message: string;
  readonly hint?: unknown;
  readonly retriable?: unknown;
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && typeof (error as { code?: unknown }).code === "string";
}

const systemErrors: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "NOT_FOUND"],
  ["EACCES", "NOT_PERMITTED"],
  ["EPERM", "NOT_PERMITTED"],
  ["EADDRINUSE", "IN_USE"],
  ["ECONNREFUSED", "UNREACHABLE"],
  ["ENOTFOUND", "UNREACHABLE"],
  ["ETIMEDOUT", "TIMEOUT"],
]);

/** Turns anything thrown into a failure that can be told in one sentence. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (isCoded(error)) {
    const systemCode = systemErrors.get(error.code);
    const message = systemCode === undefined ? error.message : plainReason(error);
    return new Failure(systemCode ?? error.code, message, {
      hint: typeof error.hint === "string" ? asSentence(error.hint) : commandHint(error),
      retriable: error.retriable === true,
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new Failure("INTERNAL", `Stopped by an unexpected error: ${message}`, {
    hint: "This is a bug in mq; MQ_DEBUG=1 prints where it happened",
    cause: error,
  });
}

/** Runs what touches the file system; where it fails, `action` says what could not be done. */
export function attempt<T>(action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failedAction(action, error);
  }
}

/** "Cannot write stdout" and "ENOSPC: no space left on device, write" as one sentence. */
export function failedAction(action: string, error: unknown): Failure {
  const failure = failureOf(error);
  const reason = isCoded(error) ? plainReason(error) : failure.message;
  return new Failure(failure.code, `${action}: ${reason}`, { hint: failure.hint, cause: error });
}

/** Remedies that are commands or flags: the library knows none. */
function commandHint({ code, message }: CodedError): string | undefined {
  if (code === "INVALID_CONFIG") {
    return "mq help topic-settings lists the settings; 7d and 64MiB do for those in .ms and .bytes";
  }
  // Our brokers' words, and Kafka's: "Compacted topic cannot accept message without key in …".
  const isKeyless = code === "INVALID_RECORD" && /without (a )?key/.test(message);
  return isKeyless ? "Give every record a key, with -k, -K or --key-from" : undefined;
}

function asSentence(hint: string): string {
  return hint.slice(0, 1).toUpperCase() + hint.slice(1);
}

function plainReason(error: CodedError): string {
  if (error.code === "EISDIR") return "it is a directory";
  return error.message.replace(/^E[A-Z]+: /, "").replace(/, \w+( '.*)?$/s, "");
}

/** What to tell of an error: where a deadline has broken whatever was under way, that is the reason. */
export function failureWithin(
  error: unknown,
  { expiredMs }: { readonly expiredMs: number | undefined },
): Failure {
  if (expiredMs === undefined) return failureOf(error);
  if (error instanceof Failure && error.exitCode === ExitCode.Unreachable) return error;
  return new Failure("TIMEOUT", `Gave up after ${expiredMs} ms`, {
    hint: "Check the address (-b, MQ_BROKERS), or allow more time with --timeout",
    retriable: true,
    cause: error,
  });
}
