/**
 * How the admin asks: questions again and again until the time is up, orders only where the broker
 * said that it did nothing.
 */
import { ErrorCode } from "../api/error_code.ts";
import type { Api, RequestInput, ResponseOf } from "../api/schema.ts";
import { ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { retrying } from "./retry.ts";

export interface Order<A extends Api> {
  readonly api: A;
  readonly body: RequestInput<A>;
  /** Everywhere in the answer where NOT_CONTROLLER may stand. */
  errorCodes(response: ResponseOf<A>): readonly number[];
}

/** Orders go to the controller where it is known; any broker of a newer Kafka passes them on. */
export async function giveOrder<A extends Api>(
  tools: ClientTools,
  { api, body, errorCodes }: Order<A>,
): Promise<ResponseOf<A>> {
  const { pool, metadata } = tools;
  let isCached = true;
  return await askRetrying(tools, async () => {
    const { controllerId } = await metadata.cluster({ isCached });
    const isKnown = pool.knows(controllerId);
    const connection = await (isKnown ? pool.broker(controllerId) : pool.any()).catch((error) => {
      isCached = false; // another one may be the controller by now
      throw error;
    });
    // A broken connection is not tried again from here on: the order may have been carried out.
    const response = await connection.request(api, body).catch((error: ClientError) => {
      throw new ClientError(error.code, error.message, { cause: error });
    });
    if (errorCodes(response).includes(ErrorCode.NotController)) {
      isCached = false;
      throw errorOfCode(ErrorCode.NotController, `Cannot ask ${api.name}`);
    }
    return response;
  });
}

export function askRetrying<T>(
  { env, requestTimeoutMs, signal }: ClientTools,
  attempt: () => Promise<T>,
): Promise<T> {
  return retrying(env, { timeoutMs: requestTimeoutMs, signal }, attempt);
}
