/** ElectLeaders: decided by the metadata quorum; one refused partition never hides the others. */
import { electLeaders } from "../../api/elect_leaders.ts";
import type { RequestOf } from "../../api/schema.ts";
import { DiskFault } from "../../env/disk.ts";
import {
  decideElectLeaders,
  ELECTION_TYPE,
  type ElectLeadersReply,
} from "../../metadata/decide/elect_leader.ts";
import type { Refusal } from "../../metadata/refusal.ts";
import type { Call } from "../broker_context.ts";
import { type Answer, defineHandler } from "../handler.ts";
import { storageRefusal } from "../storage_refusal.ts";

type Request = RequestOf<typeof electLeaders>;

export const electLeadersHandler = defineHandler({
  api: electLeaders,
  whenUndecided: refuseAll,
  async handle(broker, request, call): Promise<Answer<typeof electLeaders>> {
    const asked = { electionType: electionTypeOf(request, call), topics: topicsOf(request) };
    try {
      return answerOf(await broker.quorum.propose((image) => decideElectLeaders(image, asked)));
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      return refuseAll(request, storageRefusal(error));
    }
  },
});

/** Version 0 knew of the preferred leaders only. */
function electionTypeOf({ electionType }: Request, { apiVersion }: Call): number {
  return apiVersion === 0 ? ELECTION_TYPE.preferred : electionType;
}

function topicsOf(
  { topicPartitions }: Request,
): Parameters<typeof decideElectLeaders>[1]["topics"] {
  if (topicPartitions === null) return null;
  return topicPartitions.map(({ topic, partitions }) => ({
    name: topic,
    partitionIds: partitions,
  }));
}

function answerOf({ errorCode, topics }: ElectLeadersReply): Answer<typeof electLeaders> {
  return {
    errorCode,
    replicaElectionResults: topics.map(({ name, partitions }) => ({
      topic: name,
      partitionResult: partitions,
    })),
  };
}

/** Told for each partition too: version 0 has no other place (kafka: ElectLeadersRequest). */
function refuseAll({ topicPartitions }: Request, refusal: Refusal): Answer<typeof electLeaders> {
  return {
    errorCode: refusal.errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => ({ partitionId, ...refusal })),
    })),
  };
}
