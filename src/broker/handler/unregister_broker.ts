/** UnregisterBroker: a broker that will not come back is taken out of the cluster. */
import { unregisterBroker } from "../../api/unregister_broker.ts";
import { DiskFault } from "../../env/disk.ts";
import { decideUnregisterBroker } from "../../metadata/decide/unregister_broker.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { storageRefusal } from "../storage_refusal.ts";

export const unregisterBrokerHandler = defineHandler({
  api: unregisterBroker,
  isOfEveryNode: true,
  whenUndecided(_request, refusal): Answer<typeof unregisterBroker> {
    return refusal;
  },
  async handle({ quorum, settings }, { brokerId }): Promise<Answer<typeof unregisterBroker>> {
    const brokerValue = (synonym: string): string | undefined => settings.text(synonym);
    try {
      return await quorum.propose((image) =>
        decideUnregisterBroker(image, { brokerId, brokerValue })
      );
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      return storageRefusal(error);
    }
  },
});
