/**
 * A broker node of production code on a machine of the simulation, with somebody who starts it again
 * when it has ended.
 */
import { Broker, type BrokerStop } from "../../src/broker/broker.ts";
import type { Env } from "../../src/env/env.ts";
import { BufferPool } from "../../src/ground/buffer_pool.ts";
import type { Prng } from "../../src/ground/prng.ts";
import type { LogManager } from "../../src/runtime/log_manager.ts";
import type { PowerLoss } from "./env/disk_media.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimProcess } from "./sim_process.ts";

export interface SimNodeOptions {
  readonly process: SimProcess;
  readonly scheduler: Scheduler;
  readonly settings: ReadonlyMap<string, string>;
  readonly onPowerLoss: () => void;
}

export type NodePhase = "down" | "starting" | "serving" | "stopping";

export const KAFKA_PORT = 9092;
const FRAME_POOL_BYTES = 1 << 20;
const START_AGAIN_US = 500_000;

export class SimNode {
  readonly process: SimProcess;
  readonly address: string;
  phase: NodePhase = "down";
  env: Env | undefined;
  /** Of the running life, once they are open. */
  logs: LogManager | undefined;
  /** Why the last life ended, where the program itself did. */
  lastEnd = "";
  startCount = 0;
  #broker: Broker | undefined;
  readonly #options: SimNodeOptions;

  constructor(options: SimNodeOptions) {
    this.#options = options;
    this.process = options.process;
    this.address = `${options.process.name}:${KAFKA_PORT}`;
  }

  start(): void {
    if (this.process.isUp) return;
    const { life, env } = this.process.begin();
    this.env = env;
    this.phase = "starting";
    this.startCount++;
    // Poisoned: a handler that keeps a view of its request is found.
    const framePool = new BufferPool({ bytesMax: FRAME_POOL_BYTES, isPoisoned: true });
    const broker = new Broker({ env, settings: this.#options.settings, framePool });
    this.#broker = broker;
    const ifAlive = (action: () => void): void => {
      if (life.isAlive) action();
    };
    broker.start().then(
      () => ifAlive(() => this.phase = "serving"),
      (error: unknown) => ifAlive(() => this.#onExit(`start: ${String(error)}`)),
    );
    void broker.stopped.then((stop) => ifAlive(() => this.#onStopped(stop)));
  }

  /** The process dies and is started again later. */
  kill(downUs: number): boolean {
    if (!this.process.isUp) return false;
    this.#forget();
    this.process.kill();
    this.#startLater(downUs);
    return true;
  }

  losePower(loss: PowerLoss, chance: Prng, downUs: number): boolean {
    const wasUp = this.process.isUp;
    this.#forget();
    this.process.losePower(loss, chance);
    this.#options.onPowerLoss();
    if (wasUp) this.#startLater(downUs);
    return true;
  }

  stopGracefully(downUs: number): boolean {
    if (this.phase !== "serving") return false;
    const { life } = this.process;
    this.phase = "stopping";
    this.#broker?.stop().then(() => {
      if (life?.isAlive === true) this.kill(downUs);
    });
    return true;
  }

  #onStopped(stop: BrokerStop): void {
    if (stop.kind === "failed" && this.phase !== "starting") this.#onExit(`failed: ${stop.reason}`);
  }

  #onExit(reason: string): void {
    this.lastEnd = reason;
    const { scheduler } = this.#options;
    scheduler.note(this.process.name, { atUs: scheduler.nowUs, label: "EXIT", detail: reason });
    this.kill(START_AGAIN_US);
  }

  #forget(): void {
    this.phase = "down";
    this.#broker = undefined;
    this.logs = undefined;
    this.env = undefined;
    this.process.faults.callsLeft = -1;
  }

  #startLater(downUs: number): void {
    this.#options.scheduler.after(downUs, { label: "start" }, () => this.start());
  }
}
