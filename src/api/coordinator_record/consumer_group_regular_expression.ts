/**
 * ConsumerGroupRegularExpression (type 16): the topics that a regular expression of a KIP-848 group met.
 *
 * `version` is the offset of the metadata by which it was resolved.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const consumerGroupRegularExpressionRecord = defineCoordinatorRecord({
  type: 16,
  name: "ConsumerGroupRegularExpression",
  key: [
    { name: "groupId", type: "string", versions: "0" },
    { name: "regularExpression", type: "string", versions: "0" },
  ],
  value: [
    { name: "topics", array: "string", versions: "0+" },
    { name: "version", type: "int64", versions: "0+" },
    { name: "timestamp", type: "int64", versions: "0+" },
  ],
  valueVersions: [0, 0],
  flexibleFrom: 0,
});
