/**
 * The id under which a producer's batches are recognised (KIP-98), asked for when first needed.
 *
 * Without a transactional id every broker can answer, and every answer is a fresh id.
 */
import { ErrorCode } from "../api/error_code.ts";
import { initProducerId } from "../api/init_producer_id.ts";
import { errorOfCode } from "./client_error.ts";
import type { ConnectionPool } from "./connection_pool.ts";
import type { ProducerIdentity } from "./partition_queue.ts";
import { retrying, type RetryTools } from "./retry.ts";

export async function askProducerIdentity(
  pool: ConnectionPool,
  tools: RetryTools,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ProducerIdentity> {
  return await retrying(tools, options, async () => {
    const connection = await pool.any();
    const answer = await connection.request(initProducerId, {
      transactionalId: null,
      transactionTimeoutMs: 0x7fffffff, // no transactions, no timeout
    }, { signal: options.signal });
    if (answer.errorCode !== ErrorCode.None) {
      throw errorOfCode(answer.errorCode, "Cannot get a producer id");
    }
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  });
}
