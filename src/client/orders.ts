/**
 * How the admin asks: questions again and again until the time is up; orders where the broker said that
 * it did nothing, and those that come to the same however often they are given.
 */
import { ErrorCode } from "../api/error_code.ts";
import type { Api, RequestInput, ResponseOf } from "../api/schema.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection } from "./connection.ts";
import { retrying } from "./retry.ts";

export interface Order<A extends Api> {
  readonly api: A;
  readonly body: RequestInput<A>;
  /** Everywhere in the answer where NOT_CONTROLLER may stand. */
  errorCodes(response: ResponseOf<A>): readonly number[];
  /**
   * Comes to the same however often it is given: also when the connection broke before the answer. Not
   * told apart: a first one that is carried out only after a later order of the same client was.
   */
  readonly isIdempotent?: boolean;
}

/** Orders go to the controller where it is known; any broker of a newer Kafka passes them on. */
export async function giveOrder<A extends Api>(
  tools: ClientTools,
  { api, body, errorCodes, isIdempotent = false }: Order<A>,
): Promise<ResponseOf<A>> {
  let isCached = true;
  return await askRetrying(tools, async () => {
    const connection = await dialController(tools, isCached).catch((error) => {
      isCached = false; // another one may be the controller by now
      throw error;
    });
    const response = await connection.request(api, body).catch((error: ClientError) => {
      isCached = false;
      if (isIdempotent) throw error;
      // A broken connection is not tried again from here on: the order may have been carried out.
      const { code, message, hint } = error;
      throw new ClientError(code, message, {
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      });
    });
    if (errorCodes(response).includes(ErrorCode.NotController)) {
      isCached = false;
      throw errorOfCode(ErrorCode.NotController, `Cannot ask ${api.name}`);
    }
    return response;
  });
}

/** A node that is only a controller tells of no brokers, but takes orders as they do. */
async function dialController(
  { pool, metadata }: ClientTools,
  isCached: boolean,
): Promise<Connection> {
  const cluster = await metadata.cluster({ isCached }).catch((error: ClientError) => {
    if (error.code === "UNSUPPORTED_VERSION") return undefined;
    throw error;
  });
  const isKnown = cluster !== undefined && pool.knows(cluster.controllerId);
  return await (isKnown ? pool.broker(cluster.controllerId) : pool.any());
}

export function askRetrying<T>(
  { env, requestTimeoutMs, signal }: ClientTools,
  attempt: () => Promise<T>,
): Promise<T> {
  return retrying(env, { timeoutMs: requestTimeoutMs, signal }, attempt);
}
