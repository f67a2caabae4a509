/** What producer, consumer and admin share: the insides of one client. */
import type { Env } from "../env/env.ts";
import type { ConnectionPool } from "./connection_pool.ts";
import type { MetadataCache } from "./metadata_cache.ts";

export interface ClientTools {
  readonly pool: ConnectionPool;
  readonly metadata: MetadataCache;
  readonly env: Env;
  readonly requestTimeoutMs: number;
  /** Fires when the client closes. */
  readonly signal: AbortSignal;
}
