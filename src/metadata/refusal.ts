/** Why something asked for is not done: a code for programs, a sentence for people. */
import type { ErrorCode } from "../api/error_code.ts";

export interface Refusal {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
}

export function refusal(errorCode: ErrorCode, errorMessage: string): Refusal {
  return { errorCode, errorMessage };
}

/** Told from any other result by its code; a result of a decision must not have one itself. */
export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "errorCode" in value;
}
