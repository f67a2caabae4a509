/** Changing settings, for those who change single ones and those who replace the whole set. */
import { ErrorCode } from "../api/error_code.ts";
import { DiskFault } from "../env/disk.ts";
import {
  type AlteredResource,
  decideAlterConfigs,
  type ResourceToAlter,
} from "../metadata/decide/alter_configs.ts";
import type { BrokerContext } from "./broker_context.ts";

export interface AlterOptions {
  readonly isWholeSet: boolean;
  readonly validateOnly: boolean;
}

/** A disk that is full refuses them all, as values: the broker goes on. */
export async function alterConfigs(
  { quorum, settings, brokerId }: BrokerContext,
  resources: readonly ResourceToAlter[],
  options: AlterOptions,
): Promise<readonly AlteredResource[]> {
  try {
    return await quorum.propose((image) =>
      decideAlterConfigs(image, {
        ...options,
        resources,
        brokerId,
        brokerValue: (synonym) => settings.text(synonym),
      })
    );
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    const errorMessage = error.kind === "no-space"
      ? "no space is left for metadata"
      : "the disk has failed";
    return resources.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      errorCode: ErrorCode.KafkaStorageError,
      errorMessage,
    }));
  }
}
