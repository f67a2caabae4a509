/** The log directories of a broker as places for partitions: identity, load, online or not. */
import type { Env } from "../env/env.ts";
import { type Uuid, uuidFromEntropy } from "../ground/uuid.ts";
import { LogDirectory } from "../log/log_directory.ts";
import type { BrokerSettings } from "./broker_settings.ts";

export interface Place {
  readonly directory: LogDirectory;
  isOnline: boolean;
  partitionCount: number;
}

export interface PlaceOptions {
  readonly env: Env;
  readonly settings: BrokerSettings;
  readonly directories: readonly string[];
}

/** Opens one after the other and tells of each; throws at the first that cannot be had. */
export async function openPlaces(
  { env, settings, directories }: PlaceOptions,
  onOpen: (place: Place) => void,
): Promise<void> {
  let clusterId = settings.get("cluster.id");
  const newUuid = (): Uuid => uuidFromEntropy(env.crypto.randomBytes(16));
  for (const path of directories) {
    // deno-lint-ignore no-await-in-loop -- the first directory tells the cluster of the others
    const directory = await LogDirectory.open({
      path,
      disk: env.disk,
      trace: env.trace,
      nodeId: settings.get("node.id"),
      ...(clusterId === undefined ? {} : { clusterId }),
      newIds: { clusterId: newUuid(), directoryId: newUuid() },
    });
    clusterId = directory.identity.clusterId;
    onOpen({ directory, isOnline: true, partitionCount: 0 });
  }
}
