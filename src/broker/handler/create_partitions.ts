/** CreatePartitions: decided by the metadata quorum, answered when the new logs are open. */
import { createPartitions } from "../../api/create_partitions.ts";
import { DiskFault } from "../../env/disk.ts";
import { decideCreatePartitions } from "../../metadata/decide/create_partitions.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { storageRefusal } from "../storage_refusal.ts";

export const createPartitionsHandler = defineHandler({
  api: createPartitions,
  whenUndecided({ topics }, refusal): Answer<typeof createPartitions> {
    return { results: topics.map(({ name }) => ({ name, ...refusal })) };
  },
  async handle(broker, { topics, validateOnly }): Promise<Answer<typeof createPartitions>> {
    const placementStart = broker.env.random.u32();
    const partitionCountMax = broker.settings.get("mq.create.partitions.max");
    try {
      const results = await broker.quorum.propose((image) =>
        decideCreatePartitions(image, { topics, validateOnly, partitionCountMax, placementStart })
      );
      return { results };
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      return { results: topics.map(({ name }) => ({ name, ...storageRefusal(error) })) };
    }
  },
});
