/**
 * The first question on a connection: which versions does this broker speak (KIP-35, KIP-511)?
 *
 * Version 3 is asked for, which every broker since Kafka 2.4 has; version 4 makes Azure Event Hubs
 * close the connection. A broker that does not have it answers in version 0 with the range of this
 * very API, and is asked again in the best version it has.
 */
import { apiVersions } from "../api/api_versions.ts";
import { ErrorCode } from "../api/error_code.ts";
import type { RequestInput } from "../api/schema.ts";
import type { Reader } from "../ground/reader.ts";
import { responseReader } from "../wire/codec.ts";
import type { BrokerRange } from "../wire/negotiate.ts";
import type { Address } from "../env/network.ts";
import { addressText } from "./address.ts";
import { errorOfCode } from "./client_error.ts";

const VERSION_FIRST = 3;
export const SOFTWARE_NAME = "mq";
export const SOFTWARE_VERSION = "1";

/** What the handshake needs of a connection. */
export interface Asker {
  readonly address: Address;
  requestRaw<T>(
    api: typeof apiVersions,
    version: number,
    body: RequestInput<typeof apiVersions>,
    read: (reader: Reader) => T,
  ): Promise<T>;
}

export async function askApiVersions(
  connection: Asker,
): Promise<ReadonlyMap<number, BrokerRange>> {
  const first = await ask(connection, VERSION_FIRST);
  if (first.errorCode !== ErrorCode.UnsupportedVersion) return versionsOf(connection, first);
  const range = first.apiKeys.find(({ apiKey }) => apiKey === apiVersions.key);
  const version = Math.min(range?.maxVersion ?? 0, VERSION_FIRST - 1);
  return versionsOf(connection, await ask(connection, Math.max(version, 0)));
}

interface Answer {
  readonly errorCode: number;
  readonly apiKeys: readonly (BrokerRange & { readonly apiKey: number })[];
}

function ask(connection: Asker, version: number): Promise<Answer> {
  const body = { clientSoftwareName: SOFTWARE_NAME, clientSoftwareVersion: SOFTWARE_VERSION };
  return connection.requestRaw(apiVersions, version, body, (reader) => readAnswer(reader, version));
}

/** The error code is first in every version: it tells which version the rest is in. */
function readAnswer(reader: Reader, version: number): Answer {
  const high = reader.bytes[reader.position] ?? 0;
  const low = reader.bytes[reader.position + 1] ?? 0;
  const isRefused = ((high << 8) | low) === ErrorCode.UnsupportedVersion;
  return responseReader(apiVersions, isRefused ? 0 : version)(reader);
}

function versionsOf(connection: Asker, answer: Answer): ReadonlyMap<number, BrokerRange> {
  if (answer.errorCode !== ErrorCode.None) {
    const action = `Cannot agree on versions with ${addressText(connection.address)}`;
    throw errorOfCode(answer.errorCode, action);
  }
  return new Map(answer.apiKeys.map((range) => [range.apiKey, range]));
}
