/**
 * Topics that a client names, or the broker needs, and that are not there yet: created here where this node
 * decides, by a CreateTopics of its own that is forwarded where another one does.
 *
 * What came of it is seen in the image: the client is told of what is there then.
 */
import { createTopics as api } from "../api/create_topics.ts";
import { concat } from "../ground/concat.ts";
import { requestFrame } from "../wire/message.ts";
import { NotController } from "../runtime/quorum/not_controller.ts";
import type { BrokerContext } from "./broker_context.ts";
import { autoCreated, createAutomatically } from "./internal_topics.ts";

const LENGTH_BYTES = 4;
const API_VERSION = 7;
/** The client waits for metadata of topics that are there, too. */
const TIMEOUT_MS = 5000;

export async function createMissingTopics(
  broker: BrokerContext,
  names: readonly string[],
  clientId: string | null,
): Promise<void> {
  if (broker.quorum.isLeader) {
    try {
      await createAutomatically(broker, names);
      return;
    } catch (error) {
      if (!(error instanceof NotController)) throw error;
      if (!error.isDefinite) return;
    }
  }
  const header = { apiVersion: API_VERSION, correlationId: 0, clientId };
  const topics = names.map((name) => {
    const { partitionCount, replicationFactor, config } = autoCreated(broker, name);
    return {
      name,
      numPartitions: partitionCount,
      replicationFactor,
      assignments: [],
      configs: config,
    };
  });
  const parts = requestFrame(api, header, { topics, timeoutMs: TIMEOUT_MS, validateOnly: false });
  const frame = concat(parts as Uint8Array[]).subarray(LENGTH_BYTES);
  await broker.forwarder.forward(frame, clientId, { timeoutMs: TIMEOUT_MS });
}
