/**
 * What a principal may do, as a bit field of Kafka's AclOperation codes. Without access rules
 * everybody may do everything that there is for the kind of resource (AclEntry.supportedOperations).
 */

/** Answered where the client did not ask. */
export const NOT_ASKED = -2147483648;

/** Read, write, create, delete, alter, describe, describe configs, alter configs. */
export const TOPIC_OPERATIONS = bits([3, 4, 5, 6, 7, 8, 10, 11]);

/** Create, alter, describe, cluster action, describe configs, alter configs, idempotent write. */
export const CLUSTER_OPERATIONS = bits([5, 7, 8, 9, 10, 11, 12]);

/** Read, delete, describe, describe configs, alter configs. */
export const GROUP_OPERATIONS = bits([3, 6, 8, 10, 11]);

function bits(codes: readonly number[]): number {
  return codes.reduce((field, code) => field | (1 << code), 0);
}
