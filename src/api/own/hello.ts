/**
 * Hello (key 0x4000): the first frame on the connection of a peer: who am I, and whom do I expect?
 *
 * One of another cluster, or who expected somebody else here, is refused by the error code and the
 * connection is closed. Asked again later on, it tells that the connection still carries bytes, and
 * who leads.
 */
import type { Uuid } from "../../ground/uuid.ts";
import { defineOwnApi } from "./own_api.ts";
import { Fields, INT32_MAX } from "./shape.ts";
import { asFeature, FEATURES_MAX, type SupportedFeature } from "./supported_feature.ts";

export interface HelloRequest {
  readonly clusterId: string;
  readonly nodeId: number;
  /** Of the metadata log; for a broker without one, that of its first log directory. */
  readonly directoryId: Uuid;
  /** Whom the caller wants to reach, where it knows; a directory id of zeros is any. */
  readonly expected?: { readonly nodeId: number; readonly directoryId: Uuid };
  readonly release: string;
  readonly roles: readonly string[];
  /** What the caller can work with; nodes of the first release with clusters do not tell. */
  readonly features?: readonly SupportedFeature[];
  /** Where the caller takes peers itself, as far as it knows: nobody else may know of it yet. */
  readonly address?: { readonly host: string; readonly port: number };
}

export interface HelloResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly nodeId: number;
  readonly directoryId: Uuid;
  readonly clusterId: string;
  /** Of the metadata quorum; left out where nobody is known. */
  readonly leaderId?: number | undefined;
  readonly term: number;
}

export const ERROR_MESSAGE_LENGTH_MAX = 4096;
const ROLES_MAX = 8;

export const hello = defineOwnApi<HelloRequest, HelloResponse>({
  key: 0x4000,
  name: "Hello",
  version: 0,
  asRequest(value): HelloRequest | string {
    const fields = new Fields(value, "Hello");
    const request = {
      clusterId: fields.text("clusterId"),
      nodeId: fields.id("nodeId"),
      directoryId: fields.uuid("directoryId"),
      release: fields.text("release"),
      roles: fields.texts("roles", ROLES_MAX),
    };
    const features = fields.has("features")
      ? { features: fields.list("features", FEATURES_MAX, asFeature) }
      : {};
    const inner = fields.has("expected") ? asExpected(fields.value("expected")) : {};
    const place = fields.has("address") ? asAddress(fields.value("address")) : {};
    const failure = fields.failure ?? [inner, place].find((each) => typeof each === "string");
    if (typeof failure === "string") return failure;
    return { ...request, ...features, ...inner as object, ...place as object };
  },
  asResponse(value): HelloResponse | string {
    const fields = new Fields(value, "Hello");
    const response = {
      errorCode: fields.errorCode(),
      errorMessage: fields.textOrNull("errorMessage", ERROR_MESSAGE_LENGTH_MAX),
      nodeId: fields.id("nodeId"),
      directoryId: fields.uuid("directoryId"),
      clusterId: fields.text("clusterId"),
      term: fields.int("term", 0, INT32_MAX),
      ...(fields.has("leaderId") ? { leaderId: fields.id("leaderId") } : {}),
    };
    return fields.failure ?? response;
  },
});

function asExpected(value: unknown): Pick<HelloRequest, "expected"> | string {
  const fields = new Fields(value, "Hello.expected");
  const expected = { nodeId: fields.id("nodeId"), directoryId: fields.uuid("directoryId") };
  return fields.failure ?? { expected };
}

function asAddress(value: unknown): Pick<HelloRequest, "address"> | string {
  const fields = new Fields(value, "Hello.address");
  const address = { host: fields.text("host"), port: fields.int("port", 1, 0xffff) };
  return fields.failure ?? { address };
}
