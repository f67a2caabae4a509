/** Changing settings, for those who change single ones and those who replace the whole set. */
import { DiskFault } from "../env/disk.ts";
import {
  type AlteredResource,
  decideAlterConfigs,
  type ResourceToAlter,
} from "../metadata/decide/alter_configs.ts";
import type { BrokerContext } from "./broker_context.ts";
import { storageRefusal } from "./storage_refusal.ts";

export interface AlterOptions {
  readonly isWholeSet: boolean;
  readonly validateOnly: boolean;
}

/** A disk that is full refuses them all, as values: the broker goes on. */
export async function alterConfigs(
  { quorum, settings }: BrokerContext,
  resources: readonly ResourceToAlter[],
  options: AlterOptions,
): Promise<readonly AlteredResource[]> {
  try {
    return await quorum.propose((image) =>
      decideAlterConfigs(image, {
        ...options,
        resources,
        brokerValue: (synonym) => settings.text(synonym),
      })
    );
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    return resources.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      ...storageRefusal(error),
    }));
  }
}
