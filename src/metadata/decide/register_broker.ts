/** A broker tells where it can be reached; every start is a new incarnation with a new broker epoch. */
import type { Decision } from "../decision.ts";
import type { RegisterBrokerRecord } from "../record.ts";

export type BrokerRegistration = Omit<RegisterBrokerRecord, "kind" | "version">;

export function decideRegisterBroker(registration: BrokerRegistration): Decision<null> {
  return { records: [{ kind: "register-broker", version: 0, ...registration }], reply: null };
}
