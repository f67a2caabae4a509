/** Somebody who looks after groups without being a member: a client of production code on its own machine. */
import { Client } from "../../../src/client/client.ts";
import { ClientError } from "../../../src/client/client_error.ts";
import type { Env } from "../../../src/env/env.ts";
import type { Address } from "../../../src/env/network.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import { PromiseBroken } from "../operation/operation.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Shadow } from "../shadow.ts";
import type { SimProcess } from "../sim_process.ts";
import type { GroupShadow } from "./group_shadow.ts";
import { type GroupOperationContext, sleep } from "./operation/group_operation.ts";
import type { GroupOperationName } from "./operation/group_operation_names.ts";
import { GROUP_OPERATIONS } from "./operation/group_operations.ts";

export interface GroupKeeperOptions {
  readonly process: SimProcess;
  readonly scheduler: Scheduler;
  readonly chance: Prng;
  readonly brokers: readonly Address[];
  readonly groupIds: readonly string[];
  readonly operations: Partial<Record<GroupOperationName, number>>;
  readonly shadow: Shadow;
  readonly groups: GroupShadow;
  readonly mayBeStale: boolean;
  readonly thinkMeanMs: number;
  readonly rest: GroupOperationContext["rest"];
  readonly onBroken: (error: unknown) => void;
  readonly onDone: (what: string, outcome: string) => void;
}

const REQUEST_TIMEOUT_MS = 5000;
const BEGIN_AGAIN_US = 1_000_000;

export class GroupKeeper {
  readonly process: SimProcess;
  /** Whether it has come to the end of what it was doing when it was asked. */
  isSatisfied = false;
  lastRefusal = "";
  readonly #options: GroupKeeperOptions;
  readonly #weighted: readonly GroupOperationName[];
  #groupCount = 0;
  #isLivenessAsked = false;

  constructor(options: GroupKeeperOptions) {
    this.#options = options;
    this.process = options.process;
    this.#weighted = Object.entries(options.operations).flatMap(([name, weight]) => {
      return Array.from({ length: weight }, () => name as GroupOperationName);
    });
    this.isSatisfied = this.#weighted.length === 0;
  }

  start(): void {
    if (this.process.isUp || this.#weighted.length === 0) return;
    const { groupIds, rest, onBroken } = this.#options;
    for (const groupId of groupIds) rest(groupId, false); // whom a life before sent away
    const { env, life } = this.process.begin();
    this.#live(env).catch((error: unknown) => {
      if (life.isAlive) onBroken(error);
    });
  }

  kill(): void {
    if (!this.process.isUp) return;
    this.process.kill();
    this.#options.scheduler.after(BEGIN_AGAIN_US, { label: "start" }, () => this.start());
  }

  askForLiveness(): void {
    this.#isLivenessAsked = true;
    this.start();
  }

  async #live(env: Env): Promise<void> {
    const { brokers, thinkMeanMs } = this.#options;
    const client = new Client({ brokers, env, requestTimeoutMs: REQUEST_TIMEOUT_MS });
    const context: GroupOperationContext = {
      ...this.#options,
      client,
      clock: env.clock,
      alone: new Set(),
      nextGroupId: () => `s${++this.#groupCount}`,
    };
    while (!this.#isLivenessAsked) {
      // deno-lint-ignore no-await-in-loop -- one operation after the other
      await this.#runOne(context);
      // deno-lint-ignore no-await-in-loop
      await sleep(env.clock, context.chance.below(2 * thinkMeanMs));
    }
    this.isSatisfied = true;
    await client.close();
  }

  async #runOne(context: GroupOperationContext): Promise<void> {
    const { onDone, groups, scheduler } = this.#options;
    const name = this.#weighted[context.chance.below(this.#weighted.length)] as GroupOperationName;
    try {
      await GROUP_OPERATIONS[name].run(context);
      onDone(name, "ok");
    } catch (error) {
      if (error instanceof PromiseBroken && !groups.isTrusted) return;
      if (!(error instanceof ClientError)) throw error;
      onDone(name, error.code);
      this.lastRefusal = error.message;
      const detail = `${error.code} ${error.message}`;
      scheduler.note(this.process.name, {
        atUs: scheduler.nowUs,
        label: `REFUSED ${name}`,
        detail,
      });
    }
  }
}
