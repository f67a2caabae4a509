/** Why a broker could not start or could not go on, for the person who started it. */

export type BrokerFaultCode =
  | "IN_USE"
  | "NOT_PERMITTED"
  | "NOT_FOUND"
  | "BAD_SETTING"
  | "WRONG_CLUSTER"
  | "CORRUPT"
  | "IO";

export class BrokerFault extends Error {
  override readonly name = "BrokerFault";
  readonly code: BrokerFaultCode;
  /** What to do about it, in one sentence. */
  readonly hint: string;
  constructor(code: BrokerFaultCode, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
