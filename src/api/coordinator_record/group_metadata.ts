/**
 * GroupMetadata (type 2): a generation of a classic group, with its members and their assignments.
 *
 *   1   rebalance timeout of each member (KIP-62)
 *   2   since when the group is in its state (KIP-211)
 *   3   group instance id of each member (KIP-345)
 *   4   flexible; read, but not written, so that brokers before Kafka 3.5 can read it (KIP-915)
 *
 * Written when the leader has handed in the assignments, and with generation, no members and no
 * protocol when the group has become empty.
 */
import { defineCoordinatorRecord } from "./coordinator_record.ts";

export const groupMetadataRecord = defineCoordinatorRecord({
  type: 2,
  name: "GroupMetadata",
  key: [{ name: "group", type: "string", versions: "0" }],
  value: [
    { name: "protocolType", type: "string", versions: "0+" },
    { name: "generation", type: "int32", versions: "0+" },
    { name: "protocol", type: "string", versions: "0+", nullable: "0+" },
    { name: "leader", type: "string", versions: "0+", nullable: "0+" },
    { name: "currentStateTimestamp", type: "int64", versions: "2+", default: -1 },
    {
      name: "members",
      array: [
        { name: "memberId", type: "string", versions: "0+" },
        { name: "groupInstanceId", type: "string", versions: "3+", nullable: "3+", default: null },
        { name: "clientId", type: "string", versions: "0+" },
        { name: "clientHost", type: "string", versions: "0+" },
        { name: "rebalanceTimeout", type: "int32", versions: "1+", default: -1 },
        { name: "sessionTimeout", type: "int32", versions: "0+" },
        { name: "subscription", type: "bytes", versions: "0+" },
        { name: "assignment", type: "bytes", versions: "0+" },
      ],
      versions: "0+",
    },
  ],
  valueVersions: [0, 4],
  flexibleFrom: 4,
});
