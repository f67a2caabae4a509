/**
 * RegisterBroker (key 0x4004): a broker has started and asks to be one of the cluster.
 *
 * The active controller answers with the broker epoch, by which it knows this start of the process
 * from all others. A second process under the same id is DUPLICATE_BROKER_REGISTRATION while the first
 * is alive (kafka: ClusterControlManager.registerBroker).
 */
import type { Uuid } from "../../ground/uuid.ts";
import { ERROR_MESSAGE_LENGTH_MAX } from "./hello.ts";
import { defineOwnApi } from "./own_api.ts";
import { Fields } from "./shape.ts";
import { asFeature, FEATURES_MAX, type SupportedFeature } from "./supported_feature.ts";

export interface RegisteredListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface RegisterBrokerRequest {
  readonly brokerId: number;
  /** New at every start of the process. */
  readonly incarnationId: Uuid;
  readonly clusterId: string;
  readonly listeners: readonly RegisteredListener[];
  readonly rack: string | null;
  readonly features: readonly SupportedFeature[];
  readonly directoryIds: readonly Uuid[];
  /** Found in the clean mark of the last stop; -1 where there is none. */
  readonly previousBrokerEpoch: number;
  /** The last stop was a clean one. */
  readonly isClean: boolean;
}

export interface RegisterBrokerResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly brokerEpoch: number;
  /** Of the active controller, where the one that was asked is not it. */
  readonly leaderId?: number | undefined;
}

const LISTENERS_MAX = 64;
const DIRECTORIES_MAX = 1024;

export const registerBroker = defineOwnApi<RegisterBrokerRequest, RegisterBrokerResponse>({
  key: 0x4004,
  name: "RegisterBroker",
  version: 0,
  asRequest(value): RegisterBrokerRequest | string {
    const fields = new Fields(value, "RegisterBroker");
    const request = {
      brokerId: fields.id("brokerId"),
      incarnationId: fields.uuid("incarnationId"),
      clusterId: fields.text("clusterId"),
      listeners: fields.list("listeners", LISTENERS_MAX, asListener),
      rack: fields.textOrNull("rack"),
      features: fields.list("features", FEATURES_MAX, asFeature),
      directoryIds: fields.uuids("directoryIds", DIRECTORIES_MAX),
      previousBrokerEpoch: fields.int("previousBrokerEpoch", -1, Number.MAX_SAFE_INTEGER),
      isClean: fields.bool("isClean"),
    };
    return fields.failure ?? request;
  },
  asResponse(value): RegisterBrokerResponse | string {
    const fields = new Fields(value, "RegisterBroker");
    const response = {
      errorCode: fields.errorCode(),
      errorMessage: fields.textOrNull("errorMessage", ERROR_MESSAGE_LENGTH_MAX),
      brokerEpoch: fields.int("brokerEpoch", -1, Number.MAX_SAFE_INTEGER),
      ...(fields.has("leaderId") ? { leaderId: fields.id("leaderId") } : {}),
    };
    return fields.failure ?? response;
  },
});

function asListener(value: unknown, path: string): RegisteredListener | string {
  const fields = new Fields(value, path);
  const listener = {
    name: fields.text("name"),
    host: fields.text("host"),
    port: fields.int("port", 1, 0xffff),
  };
  return fields.failure ?? listener;
}
