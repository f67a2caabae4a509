/** A log directory that cannot be used, for the person who named it. */

/** Why a directory cannot be used. */
export class LogDirectoryFault extends Error {
  override readonly name = "LogDirectoryFault";
  readonly code: "BAD_SETTING" | "IN_USE" | "NOT_PERMITTED" | "WRONG_CLUSTER" | "CORRUPT" | "IO";
  readonly hint: string;
  constructor(code: LogDirectoryFault["code"], message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
