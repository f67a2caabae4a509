/**
 * ConsumerGroupMetadata (type 3): the group epoch of a KIP-848 group.
 *
 * The metadata hash tells whether the subscribed topics are still what they were when the epoch was
 * made (KIP-1101). It is a full 64 bits.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const consumerGroupMetadataRecord = defineCoordinatorRecord({
  type: 3,
  name: "ConsumerGroupMetadata",
  key: [{ name: "groupId", type: "string", versions: "0" }],
  value: [
    { name: "epoch", type: "int32", versions: "0+" },
    { name: "metadataHash", type: "bigint64", versions: "0+", tagged: "0+", tag: 0, default: 0n },
  ],
  valueVersions: [0, 0],
  flexibleFrom: 0,
});
