/**
 * LegacyOffsetCommit (type 0): a committed offset as brokers before Kafka 0.9 wrote it.
 *
 * It is read as an OffsetCommit, and never written.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const legacyOffsetCommitRecord = defineCoordinatorRecord({
  type: 0,
  name: "LegacyOffsetCommit",
  key: [
    { name: "group", type: "string", versions: "0" },
    { name: "topic", type: "string", versions: "0" },
    { name: "partition", type: "int32", versions: "0" },
  ],
  value: [
    { name: "offset", type: "int64", versions: "0" },
    { name: "metadata", type: "string", versions: "0" },
    { name: "commitTimestamp", type: "int64", versions: "0" },
  ],
  valueVersions: [0, 0],
});
