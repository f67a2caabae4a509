/** Which levels of a feature a node can work with (KIP-584), as it tells other nodes. */
import { Fields } from "./shape.ts";

export interface SupportedFeature {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

const LEVEL_MAX = 0x7fff;

export const FEATURES_MAX = 256;

export function asFeature(value: unknown, path: string): SupportedFeature | string {
  const fields = new Fields(value, path);
  const minVersion = fields.int("minVersion", 0, LEVEL_MAX);
  const feature = {
    name: fields.text("name"),
    minVersion,
    maxVersion: fields.int("maxVersion", minVersion, LEVEL_MAX),
  };
  return fields.failure ?? feature;
}
