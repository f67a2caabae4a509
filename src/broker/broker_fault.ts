/** Why a broker could not start or could not go on, for the person who started it. */

import { DiskFault } from "../env/disk.ts";
import { LogDirectoryFault } from "../log/directory/log_directory_fault.ts";
import { LogFault } from "../log/log_fault.ts";
import { MetadataCorrupt } from "../runtime/quorum/not_controller.ts";

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

/** What a person is told of whatever ended a start. */
export function brokerFault(error: unknown): BrokerFault {
  if (error instanceof BrokerFault) return error;
  if (error instanceof LogDirectoryFault) {
    return new BrokerFault(error.code, error.message, error.hint);
  }
  if (error instanceof MetadataCorrupt || error instanceof LogFault) {
    const hint =
      "nothing was changed: restore the directory from a copy, or use the version that wrote it";
    return new BrokerFault("CORRUPT", error.message, hint);
  }
  if (error instanceof DiskFault) return diskFault(error);
  throw error;
}

function diskFault(fault: DiskFault): BrokerFault {
  switch (fault.kind) {
    case "not-permitted":
      return new BrokerFault(
        "NOT_PERMITTED",
        fault.message,
        `give this user read and write access to ${fault.path}`,
      );
    case "not-found":
      return new BrokerFault("NOT_FOUND", fault.message, "check the path");
    case "no-handles":
      return new BrokerFault("IO", fault.message, "raise the limit of open files (ulimit -n)");
    case "no-space":
      return new BrokerFault("IO", fault.message, "free space on this file system");
    default:
      return new BrokerFault("IO", fault.message, "check the disk and the system's log");
  }
}
