/** Which broker coordinates a group, asked of any broker; many groups in one question where it can be. */
import { ErrorCode } from "../api/error_code.ts";
import { findCoordinator } from "../api/find_coordinator.ts";
import { type ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection } from "./connection.ts";

const KEY_TYPE_GROUP = 0;
/** KIP-699. */
const VERSION_WITH_MANY = 4;

/**
 * The ids of the coordinators, or why there is none, by group. Where they are is made known to the pool.
 * Throws a `ClientError` where no broker answers.
 */
export async function findCoordinators(
  { pool, signal }: ClientTools,
  groupIds: readonly string[],
): Promise<ReadonlyMap<string, number | ClientError>> {
  const connection = await pool.any();
  const version = connection.versionOf(findCoordinator) ?? 0;
  const found = version >= VERSION_WITH_MANY
    ? await askMany(connection, groupIds, signal)
    : await Promise.all(groupIds.map((groupId) => askOne(connection, groupId, signal)));
  const results = new Map<string, number | ClientError>();
  for (const { key, nodeId, host, port, errorCode, errorMessage } of found) {
    if (errorCode === ErrorCode.None) {
      pool.addBroker(nodeId, { host, port });
      results.set(key, nodeId);
    } else {
      results.set(
        key,
        errorOfCode(errorCode, `Cannot find the coordinator of group ${key}`, errorMessage),
      );
    }
  }
  return results;
}

interface Found {
  readonly key: string;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

async function askMany(
  connection: Connection,
  coordinatorKeys: readonly string[],
  signal: AbortSignal,
): Promise<readonly Found[]> {
  const body = { keyType: KEY_TYPE_GROUP, coordinatorKeys };
  return (await connection.request(findCoordinator, body, { signal })).coordinators;
}

async function askOne(connection: Connection, key: string, signal: AbortSignal): Promise<Found> {
  const body = { key, keyType: KEY_TYPE_GROUP };
  return { ...await connection.request(findCoordinator, body, { signal }), key };
}
