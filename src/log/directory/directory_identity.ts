/**
 * `meta.properties`: to which cluster and node a log directory belongs.
 * Source: kafka: MetaProperties (version 1), KIP-858 (directory.id).
 */
import { bytesOf, textOf } from "../../ground/text.ts";

export const IDENTITY_FILE = "meta.properties";
const VERSION = "1";

export interface DirectoryIdentity {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
}

export function encodeIdentity(identity: DirectoryIdentity): Uint8Array {
  const { clusterId, nodeId, directoryId } = identity;
  return bytesOf(
    `version=${VERSION}\ncluster.id=${clusterId}\nnode.id=${nodeId}\ndirectory.id=${directoryId}\n`,
  );
}

/** The identity, or what is wrong with the file. */
export function decodeIdentity(bytes: Uint8Array): DirectoryIdentity | string {
  const properties = new Map<string, string>();
  for (const line of textOf(bytes).split("\n")) {
    const [, key, value] = /^\s*([^#!\s=][^=\s]*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) properties.set(key, value);
  }
  const version = properties.get("version");
  const clusterId = properties.get("cluster.id");
  const nodeId = Number(properties.get("node.id") ?? NaN);
  const directoryId = properties.get("directory.id");
  if (version !== VERSION) return `version is ${version ?? "missing"}, expected ${VERSION}`;
  if (clusterId === undefined || clusterId === "") return "cluster.id is missing";
  if (!Number.isInteger(nodeId) || nodeId < 0) return "node.id is missing or no number";
  if (directoryId === undefined || directoryId === "") return "directory.id is missing";
  return { clusterId, nodeId, directoryId };
}
