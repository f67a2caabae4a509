/**
 * Connections to the nodes of a cluster, one for each life of each: for who wants a certain node to
 * answer, where a client of the library would go to the one that it thinks best, and ask again.
 */
import type { Api, RequestInput, ResponseOf } from "../../src/api/schema.ts";
import { parseAddress } from "../../src/client/address.ts";
import { Connection } from "../../src/client/connection.ts";
import type { Env } from "../../src/env/env.ts";
import type { Address } from "../../src/env/network.ts";
import { createHostEnv } from "../../src/host/host_env.ts";

/** A node as one that is asked. */
export interface AskedNode {
  readonly id: number;
  /** host:port */
  readonly kafka: string;
  /** Another one in each of its lives. */
  readonly pid: number;
}

interface Opened {
  readonly pid: number;
  readonly connection: Promise<Connection>;
}

export class NodeConnections {
  readonly #clientId: string;
  readonly #patienceMs: number;
  readonly #env: Env;
  readonly #opened = new Map<number, Opened>();

  constructor(clientId: string, patienceMs: number, env: Env = createHostEnv()) {
    this.#clientId = clientId;
    this.#patienceMs = patienceMs;
    this.#env = env;
  }

  /** Makes sure that there is a connection; rejects where there is none. Nothing was asked then. */
  async dial(node: AskedNode): Promise<void> {
    await this.#connection(node);
  }

  /** Asks that node, once. Rejects with a `ClientError`. */
  async request<A extends Api>(
    node: AskedNode,
    api: A,
    body: RequestInput<A>,
  ): Promise<ResponseOf<A>> {
    const connection = await this.#connection(node);
    return await connection.request(api, body, { timeoutMs: this.#patienceMs });
  }

  close(): void {
    for (const opened of this.#opened.values()) end(opened);
    this.#opened.clear();
  }

  async #connection(node: AskedNode): Promise<Connection> {
    const known = this.#opened.get(node.id);
    if (known?.pid === node.pid) {
      const connection = await known.connection.catch(() => undefined);
      if (connection?.isOpen === true) return connection;
    }
    if (known !== undefined) end(known);
    const connection = Connection.open({
      address: parseAddress(node.kafka) as Address,
      clientId: this.#clientId,
      requestTimeoutMs: this.#patienceMs,
      env: this.#env,
    });
    this.#opened.set(node.id, { pid: node.pid, connection });
    return await connection;
  }
}

function end({ connection }: Opened): void {
  connection.then((open) => open.close(), () => undefined);
}
