/** Why a request is refused: Kafka's code, and Kafka's words where it has any. */
import type { ErrorCode } from "../../api/error_code.ts";

export class Refusal {
  readonly errorCode: ErrorCode;
  readonly message: string | null;

  constructor(errorCode: ErrorCode, message: string | null = null) {
    this.errorCode = errorCode;
    this.message = message;
  }
}
