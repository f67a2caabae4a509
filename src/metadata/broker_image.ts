/** One broker as metadata has it, and what becomes of it by a record. */
import type { Uuid } from "../ground/uuid.ts";
import type {
  BrokerChangeRecord,
  FeatureRange,
  ListenerAddress,
  RegisterBrokerRecord,
} from "./record.ts";

export interface BrokerImage {
  readonly brokerId: number;
  readonly incarnationId: Uuid;
  /** Offset of the record that registered the incarnation: grows with every one. */
  readonly brokerEpoch: number;
  /** Of the first listener. */
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  /** At least one. */
  readonly listeners: readonly ListenerAddress[];
  readonly features: readonly FeatureRange[];
  readonly directoryIds: readonly Uuid[];
  /** Clients are not told of it, and it leads nothing that anybody else may lead. */
  readonly isFenced: boolean;
  readonly isInControlledShutdown: boolean;
}

/** Of a broker that registered before there were names of listeners. */
const LISTENER_NAME_AT_FIRST = "PLAINTEXT";

export function brokerOf(offset: number, record: RegisterBrokerRecord): BrokerImage {
  const { brokerId, incarnationId, rack } = record;
  if (record.version === 0) {
    const { host, port } = record;
    return {
      brokerId,
      incarnationId,
      brokerEpoch: offset,
      host,
      port,
      rack,
      listeners: [{ name: LISTENER_NAME_AT_FIRST, host, port }],
      features: [],
      directoryIds: [],
      isFenced: false,
      isInControlledShutdown: false,
    };
  }
  const { listeners, features, directoryIds, isFenced } = record;
  const { host, port } = listeners[0] as ListenerAddress;
  return {
    brokerId,
    incarnationId,
    brokerEpoch: record.brokerEpoch ?? offset,
    host,
    port,
    rack,
    listeners,
    features,
    directoryIds,
    isFenced,
    isInControlledShutdown: record.isInControlledShutdown ?? false,
  };
}

export function changedBroker(before: BrokerImage, record: BrokerChangeRecord): BrokerImage {
  const { isFenced = before.isFenced } = record;
  const { isInControlledShutdown = before.isInControlledShutdown } = record;
  return { ...before, isFenced, isInControlledShutdown };
}
