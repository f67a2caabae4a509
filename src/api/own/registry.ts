/** The APIs of mq itself, in the order of their keys. */
import { allocateProducerIds } from "./allocate_producer_ids.ts";
import { alterPartition } from "./alter_partition.ts";
import { brokerHeartbeat } from "./broker_heartbeat.ts";
import { forward } from "./forward.ts";
import { hello } from "./hello.ts";
import { metadataFetch } from "./metadata_fetch.ts";
import type { AnyOwnApi } from "./own_api.ts";
import { raftMessages } from "./raft_messages.ts";
import { registerBroker } from "./register_broker.ts";
import { snapshotFetch } from "./snapshot_fetch.ts";
import { unreadOffsets } from "./unread_offsets.ts";

export const ownApis: readonly AnyOwnApi[] = [
  hello,
  raftMessages,
  metadataFetch,
  snapshotFetch,
  registerBroker,
  brokerHeartbeat,
  forward,
  allocateProducerIds,
  alterPartition,
  unreadOffsets,
];

const apiByKey = new Map(ownApis.map((api) => [api.key, api]));

/** The API of `key`, or undefined where there is none. */
export function ownApiOf(key: number): AnyOwnApi | undefined {
  return apiByKey.get(key);
}
