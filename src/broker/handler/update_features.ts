/** UpdateFeatures: the level of features is raised or lowered, all of a request or nothing. */
import { ErrorCode } from "../../api/error_code.ts";
import type { RequestOf } from "../../api/schema.ts";
import { updateFeatures } from "../../api/update_features.ts";
import { DiskFault } from "../../env/disk.ts";
import {
  decideUpdateFeatures,
  type FeatureUpdate,
  UPGRADE_TYPE,
} from "../../metadata/decide/update_features.ts";
import type { Refusal } from "../../metadata/refusal.ts";
import type { BrokerContext, Call } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { storageRefusal } from "../storage_refusal.ts";

type Request = RequestOf<typeof updateFeatures>;
type UpdateAnswer = Answer<typeof updateFeatures>;
type Outcome = Refusal | { readonly errorCode: 0; readonly errorMessage: null };

export const updateFeaturesHandler = defineHandler({
  api: updateFeatures,
  isOfEveryNode: true,
  whenUndecided: answerOf,
  async handle(broker, request, call): Promise<UpdateAnswer> {
    const updates = request.featureUpdates.map((update) => updateOf(update, call));
    const { validateOnly } = request;
    const others = { otherControllers: otherControllers(broker), controllerId: broker.brokerId };
    try {
      const outcome = await broker.quorum.propose((image) =>
        decideUpdateFeatures(image, { updates, validateOnly, ...others })
      );
      return answerOf(request, outcome as Outcome);
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      return answerOf(request, storageRefusal(error));
    }
  },
});

/** Version 0 could only say whether a downgrade is wanted (kafka: UpdateFeaturesRequest). */
function updateOf(
  { feature, maxVersionLevel, allowDowngrade, upgradeType }: Request["featureUpdates"][number],
  { apiVersion }: Call,
): FeatureUpdate {
  const ofVersion0 = allowDowngrade ? UPGRADE_TYPE.safeDowngrade : UPGRADE_TYPE.upgrade;
  return { feature, maxVersionLevel, upgradeType: apiVersion === 0 ? ofVersion0 : upgradeType };
}

/** Each feature is answered for only up to version 1, and where all is well (kafka: QuorumController). */
function answerOf(request: Request, outcome: Outcome): UpdateAnswer {
  if (outcome.errorCode !== ErrorCode.None) return outcome;
  const results = request.featureUpdates.map(({ feature }) => ({ feature, ...outcome }));
  return { ...outcome, results };
}

function otherControllers(
  { raft, brokerId, featuresOf }: BrokerContext,
): Parameters<typeof decideUpdateFeatures>[1]["otherControllers"] {
  const voters = raft?.status().configuration.voters ?? [];
  return voters.filter(({ id }) => id !== brokerId)
    .map(({ id }) => ({ nodeId: id, features: featuresOf(id) }));
}
