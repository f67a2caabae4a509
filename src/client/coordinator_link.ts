/**
 * The way of one member to the coordinator of its group: found when it is needed, forgotten when an
 * answer or a broken connection shows that it is another one by now.
 *
 * On a lane of its own, because the answer to a JoinGroup takes as long as the slowest member does.
 * Not here: trying again, which the caller decides.
 */
import type { Api, RequestInput, ResponseOf } from "../api/schema.ts";
import { ClientError } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { Connection, RequestOptions } from "./connection.ts";
import type { Lane } from "./connection_pool.ts";
import { findCoordinators } from "./find_coordinators.ts";

export class CoordinatorLink {
  readonly #tools: ClientTools;
  readonly #groupId: string;
  readonly #lane: Lane;
  #coordinatorId: number | undefined;
  #finding: Promise<number> | undefined;

  constructor(tools: ClientTools, groupId: string, lane: Lane) {
    this.#tools = tools;
    this.#groupId = groupId;
    this.#lane = lane;
  }

  /** Once. Throws a `ClientError`. */
  async ask<A extends Api>(
    api: A,
    body: RequestInput<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOf<A>> {
    const connection = await this.connection();
    try {
      return await connection.request(api, body, options);
    } catch (thrown) {
      const { code } = thrown as ClientError;
      if (code === "UNREACHABLE" || code === "TIMEOUT") this.forget();
      throw thrown;
    }
  }

  /** The connection to the coordinator; `lane` where it is not to be this member's. */
  async connection(lane: Lane = this.#lane): Promise<Connection> {
    const coordinatorId = this.#coordinatorId ?? await this.#find();
    try {
      return await this.#tools.pool.broker(coordinatorId, lane);
    } catch (thrown) {
      this.forget();
      throw thrown;
    }
  }

  /** It is another one by now. */
  forget(): void {
    this.#coordinatorId = undefined;
  }

  close(): void {
    this.#tools.pool.closeLane(this.#lane);
  }

  #find(): Promise<number> {
    this.#finding ??= this.#findOnce().finally(() => this.#finding = undefined);
    return this.#finding;
  }

  async #findOnce(): Promise<number> {
    const found = (await findCoordinators(this.#tools, [this.#groupId])).get(this.#groupId);
    if (typeof found === "number") {
      this.#coordinatorId = found;
      return found;
    }
    throw found ?? new ClientError("PROTOCOL", "Cannot find coordinator: the answer leaves it out");
  }
}
