/** What a client is told where a decision could not be written: the disk is full, or has failed. */
import { ErrorCode } from "../api/error_code.ts";
import type { DiskFault } from "../env/disk.ts";
import type { Refusal } from "../metadata/refusal.ts";

export function storageRefusal({ kind }: DiskFault): Refusal {
  const errorMessage = kind === "no-space"
    ? "no space is left for metadata"
    : "the disk has failed";
  return { errorCode: ErrorCode.KafkaStorageError, errorMessage };
}
