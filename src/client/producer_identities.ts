/**
 * The id under which a producer's batches are recognised (KIP-98): asked for when first needed, and
 * again when a partition has used up its epochs.
 *
 * Without a transactional id every broker can answer, and every answer is a fresh id.
 */
import { ErrorCode } from "../api/error_code.ts";
import { initProducerId } from "../api/init_producer_id.ts";
import { type ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { PartitionQueue } from "./partition_queue.ts";
import type { ProducerIdentity } from "./producer_batch.ts";
import { retrying } from "./retry.ts";

export interface ProducerIdentitiesOptions {
  readonly tools: ClientTools;
  /** Called when the question is over, well or not. */
  onAnswer(): void;
  /** Called before that where asking again would not help. */
  onRefused(error: ClientError): void;
}

export class ProducerIdentities {
  current: ProducerIdentity | undefined;
  readonly #options: ProducerIdentitiesOptions;
  #isAsking = false;

  constructor(options: ProducerIdentitiesOptions) {
    this.#options = options;
  }

  /** Whether there is an id for the next batch of this partition; asks for one where not. */
  isReadyFor(queue: PartitionQueue): boolean {
    if (this.current !== undefined && !queue.needsProducerId(this.current)) return true;
    this.current = undefined;
    if (!this.#isAsking) this.#ask();
    return false;
  }

  async #ask(): Promise<void> {
    const { tools, onAnswer, onRefused } = this.#options;
    const { env, requestTimeoutMs: timeoutMs, signal } = tools;
    this.#isAsking = true;
    try {
      this.current = await retrying(env, { timeoutMs, signal }, () => askOnce(tools));
    } catch (thrown) {
      const error = thrown as ClientError;
      if (!error.retriable) onRefused(error);
    }
    this.#isAsking = false;
    onAnswer();
  }
}

async function askOnce({ pool, signal }: ClientTools): Promise<ProducerIdentity> {
  const connection = await pool.any();
  const answer = await connection.request(initProducerId, {
    transactionalId: null,
    transactionTimeoutMs: 0x7fffffff, // no transactions, no timeout
  }, { signal });
  if (answer.errorCode !== ErrorCode.None) {
    throw errorOfCode(answer.errorCode, "Cannot get a producer id");
  }
  return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
}
