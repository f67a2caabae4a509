/**
 * UnregisterBroker (key 64): forgets a broker that will not come back.
 *
 * Served: 0; flexible (KIP-500). A broker that is alive registers again at its next heartbeat.
 */
import { defineApi } from "./schema.ts";

export const unregisterBroker = defineApi({
  key: 64,
  name: "UnregisterBroker",
  versions: [0, 0],
  flexibleFrom: 0,
  request: [{ name: "brokerId", type: "int32", versions: "0+" }],
  response: [
    { name: "throttleTimeMs", type: "int32", versions: "0+", default: 0 },
    { name: "errorCode", type: "int16", versions: "0+" },
    { name: "errorMessage", type: "string", mayBeCut: true, versions: "0+", nullable: "0+" },
  ],
});
