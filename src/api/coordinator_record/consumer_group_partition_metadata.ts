/**
 * ConsumerGroupPartitionMetadata (type 4): what a KIP-848 group knew of its topics, before Kafka 4.1.
 *
 * The metadata hash of ConsumerGroupMetadata has taken its place (KIP-1101). It is read, and of it
 * only tombstones are written, when a group goes whose log has one.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const consumerGroupPartitionMetadataRecord = defineCoordinatorRecord({
  type: 4,
  name: "ConsumerGroupPartitionMetadata",
  key: [{ name: "groupId", type: "string", versions: "0" }],
  value: [
    {
      name: "topics",
      array: [
        { name: "topicId", type: "uuid", versions: "0+" },
        { name: "topicName", type: "string", versions: "0+" },
        { name: "numPartitions", type: "int32", versions: "0+" },
        {
          name: "partitionMetadata",
          array: [
            { name: "partition", type: "int32", versions: "0+" },
            { name: "racks", array: "string", versions: "0+" },
          ],
          versions: "0+",
        },
      ],
      versions: "0+",
    },
  ],
  valueVersions: [0, 0],
  flexibleFrom: 0,
});
