/**
 * ConsumerGroupMemberMetadata (type 5): what a member of a KIP-848 group has told about itself.
 *
 * `classicMemberMetadata` is null unless the member speaks the classic protocol. Its default is not
 * null: Kafka's definition means to say so, but its generator takes it for an empty struct, so that a
 * null is written out, and a tag that is left out would make a classic member of any other.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const consumerGroupMemberMetadataRecord = defineCoordinatorRecord({
  type: 5,
  name: "ConsumerGroupMemberMetadata",
  key: [
    { name: "groupId", type: "string", versions: "0" },
    { name: "memberId", type: "string", versions: "0" },
  ],
  value: [
    { name: "instanceId", type: "string", versions: "0+", nullable: "0+" },
    { name: "rackId", type: "string", versions: "0+", nullable: "0+" },
    { name: "clientId", type: "string", versions: "0+" },
    { name: "clientHost", type: "string", versions: "0+" },
    { name: "subscribedTopicNames", array: "string", versions: "0+" },
    { name: "subscribedTopicRegex", type: "string", versions: "0+", nullable: "0+" },
    { name: "rebalanceTimeoutMs", type: "int32", versions: "0+", default: -1 },
    { name: "serverAssignor", type: "string", versions: "0+", nullable: "0+" },
    {
      name: "classicMemberMetadata",
      struct: [
        { name: "sessionTimeoutMs", type: "int32", versions: "0+" },
        {
          name: "supportedProtocols",
          array: [
            { name: "name", type: "string", versions: "0+" },
            { name: "metadata", type: "bytes", versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
      nullable: "0+",
      tagged: "0+",
      tag: 0,
    },
  ],
  valueVersions: [0, 0],
  flexibleFrom: 0,
});
