/** A client of production code on a machine of its own, which does one operation after the other. */
import { Client } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client_error.ts";
import type { Env } from "../../src/env/env.ts";
import type { Address } from "../../src/env/network.ts";
import type { Prng } from "../../src/ground/prng.ts";
import { ClientProducers } from "./client_producers.ts";
import { type OperationContext, PromiseBroken } from "./operation/operation.ts";
import type { OperationName } from "./operation/operation_names.ts";
import { operationOf } from "./operation/operations.ts";
import { checkAll } from "./liveness.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Shadow } from "./shadow.ts";
import type { SimOptions } from "./sim_options.ts";
import type { SimProcess } from "./sim_process.ts";
import type { ImagePositions } from "./watch_images.ts";

export interface SimClientOptions {
  readonly process: SimProcess;
  readonly scheduler: Scheduler;
  readonly shadow: Shadow;
  readonly chance: Prng;
  readonly brokers: readonly Address[];
  readonly positions: ImagePositions;
  readonly options: SimOptions;
  /** What an operation came to: "ok", or the code of a `ClientError`. */
  onDone: (operation: string, outcome: string) => void;
  readonly onBroken: (error: unknown) => void;
  readonly onDurable: OperationContext["onDurable"];
}

const REQUEST_TIMEOUT_MS = 5000;
const BEGIN_AGAIN_US = 1_000_000;

export class SimClient {
  readonly process: SimProcess;
  /** Whether the healed world has done all that it was asked. */
  isSatisfied = false;
  /** Why it is not yet. */
  lastRefusal = "";
  readonly options: SimClientOptions;
  readonly #weighted: readonly OperationName[];
  #isLivenessAsked = false;

  constructor(options: SimClientOptions) {
    this.options = options;
    this.process = options.process;
    this.#weighted = Object.entries(options.options.operations).flatMap(([name, weight]) => {
      return Array.from({ length: weight }, () => name as OperationName);
    });
  }

  start(): void {
    if (this.process.isUp) return;
    const { env, life } = this.process.begin();
    this.#live(env).catch((error: unknown) => {
      if (life.isAlive) this.options.onBroken(error);
    });
  }

  kill(): void {
    if (!this.process.isUp) return;
    this.process.kill();
    this.options.scheduler.after(BEGIN_AGAIN_US, { label: "start" }, () => this.start());
  }

  /** From now on it asks for everything to work. */
  askForLiveness(): void {
    this.#isLivenessAsked = true;
  }

  async #live(env: Env): Promise<void> {
    const { brokers, shadow, options } = this.options;
    const chance = this.options.chance.fork();
    const client = new Client({ brokers, env, requestTimeoutMs: REQUEST_TIMEOUT_MS });
    const tag = `${this.process.name}.${this.process.lifeCount}`;
    const context: OperationContext = {
      client,
      producers: new ClientProducers(client, tag, chance.fork()),
      shadow,
      chance,
      clock: env.clock,
      replicationFactor: 1,
      mayBeStale: options.nodes > 1,
      plant: options.plant,
      positions: this.options.positions,
      onDurable: this.options.onDurable,
      onRefused: (error) => {
        this.lastRefusal = error.message;
      },
    };
    while (!this.#isLivenessAsked) {
      // deno-lint-ignore no-await-in-loop -- one operation after the other
      await this.#runOne(context);
      const thinkMs = chance.below(2 * options.thinkMeanMs);
      // deno-lint-ignore no-await-in-loop
      await new Promise<void>((resolve) => env.clock.after(thinkMs, resolve));
    }
    await checkAll(context);
    this.isSatisfied = true;
    await client.close();
  }

  async #runOne(context: OperationContext): Promise<void> {
    const name = this.#weighted[context.chance.below(this.#weighted.length)] as OperationName;
    try {
      await operationOf(name).run(context);
      this.options.onDone(name, "ok");
    } catch (error) {
      if (error instanceof PromiseBroken && this.options.shadow.isDamaged) return;
      if (!(error instanceof ClientError)) throw error;
      this.options.onDone(name, error.code);
      const { scheduler } = this.options;
      const detail = `${error.code} ${error.message}`;
      scheduler.note(this.process.name, {
        atUs: scheduler.nowUs,
        label: `REFUSED ${name}`,
        detail,
      });
    }
  }
}
