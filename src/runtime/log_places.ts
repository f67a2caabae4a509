/** The log directories of a broker as places for partitions: identity, load, online or not. */
import type { Env } from "../env/env.ts";
import { type Uuid, uuidFromEntropy } from "../ground/uuid.ts";
import { LogDirectory } from "../log/log_directory.ts";
import type { BrokerSettings } from "./broker_settings.ts";

export interface Place {
  readonly directory: LogDirectory;
  isOnline: boolean;
  partitionCount: number;
  /** Of what the checkpoint was last written with: an equal sum is an equal checkpoint. */
  recoveryPointSum: number;
}

/** 32 hex digits that nobody else has: the name of what is put aside. */
export function uniqueHex({ crypto }: Env): string {
  return [...crypto.randomBytes(16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
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
    onOpen({ directory, isOnline: true, partitionCount: 0, recoveryPointSum: -1 });
  }
}
