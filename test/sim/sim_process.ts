/**
 * A machine with one program on it: started, killed, paused, slowed, left without power, started again.
 */
import type { Env } from "../../src/env/env.ts";
import type { Prng } from "../../src/ground/prng.ts";
import type { DiskFaults } from "./env/disk_faults.ts";
import { DiskMedia, type PowerLoss } from "./env/disk_media.ts";
import type { MachineClock } from "./env/sim_clock.ts";
import { createSimEnv, type OnTrace } from "./env/sim_env.ts";
import type { SimNetwork } from "./env/sim_network.ts";
import { Life } from "./life.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimProcessOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  readonly machine: MachineClock;
  readonly faults: DiskFaults;
  readonly timerLateUsMax: number;
  readonly chance: Prng;
  readonly onTrace: OnTrace;
}

const FILES_MAX = 512;

export class SimProcess {
  readonly name: string;
  readonly machine: MachineClock;
  readonly faults: DiskFaults;
  media = new DiskMedia();
  life: Life | undefined;
  lifeCount = 0;
  /** Nobody makes it go on where it is paused, or starts it. */
  isLost = false;
  readonly #options: SimProcessOptions;

  constructor(options: SimProcessOptions) {
    this.#options = options;
    this.name = options.name;
    this.machine = options.machine;
    this.faults = options.faults;
  }

  get isUp(): boolean {
    return this.life !== undefined;
  }

  /** A new life begins; the one before must have ended. */
  begin(): { readonly life: Life; readonly env: Env } {
    if (this.life !== undefined) throw new Error(`${this.name} is running`);
    const { name, scheduler, network, machine, faults, chance, onTrace } = this.#options;
    const life = new Life(name, ++this.lifeCount);
    this.life = life;
    network.down.delete(name);
    network.resend();
    const env = createSimEnv({
      scheduler,
      network,
      life,
      host: name,
      machine,
      media: this.media,
      faults,
      filesMax: FILES_MAX,
      timerLateUsMax: this.#options.timerLateUsMax,
      chance: chance.fork(),
      onTrace,
    });
    scheduler.note(name, { atUs: scheduler.nowUs, label: "BEGIN", detail: life.number });
    return { life, env };
  }

  /** The process is gone; the page cache and the machine stay. */
  kill(): void {
    this.#end("KILL");
  }

  /** The machine is gone until it begins again, and with it what was not on the medium. */
  losePower(loss: PowerLoss, chance: Prng): void {
    this.#options.network.down.add(this.name);
    this.#end(`POWER LOSS ${loss}`);
    this.media = this.media.afterPowerLoss(loss, chance);
  }

  pause(): void {
    if (this.life !== undefined) this.life.isPaused = true;
  }

  resume(): void {
    const { life } = this;
    if (life === undefined || !life.isPaused || this.isLost) return;
    life.isPaused = false;
    this.#options.scheduler.release(life);
  }

  #end(label: string): void {
    const { scheduler } = this.#options;
    const { life } = this;
    // A program that goes on in the middle of this very event keeps the disk that it has.
    if (life !== undefined && scheduler.life === life) this.media = this.media.copy();
    this.life = undefined;
    this.media.locks.clear();
    if (life === undefined) return;
    scheduler.note(this.name, { atUs: scheduler.nowUs, label, detail: life.number });
    life.end();
  }
}
