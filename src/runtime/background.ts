/**
 * Everything that a broker does of itself, again and again: upkeep, retention, compaction, scrubbing.
 *
 * It begins when the broker serves and ends before its logs are closed. A stop waits for the steps under
 * way, but not for ever: a disk that hangs must not keep the broker from ending.
 */
import type { Env } from "../env/env.ts";
import type { BrokerSettings } from "./broker_settings.ts";
import { LogCleaner } from "./log_cleaner.ts";
import type { LogManager } from "./log_manager.ts";
import { RepeatedTask } from "./repeated_task.ts";
import { Retention } from "./retention.ts";
import { Scrubber } from "./scrubber.ts";

export interface BackgroundOptions {
  readonly env: Env;
  readonly settings: BrokerSettings;
  readonly logs: LogManager;
}

export class Background {
  readonly retention: Retention;
  readonly cleaner: LogCleaner;
  readonly scrubber: Scrubber;
  readonly #options: BackgroundOptions;
  readonly #tasks: readonly RepeatedTask[];

  constructor(options: BackgroundOptions) {
    const { env, settings, logs } = options;
    this.#options = options;
    const parts = { ...env, logs, settings };
    this.retention = new Retention({ ...parts, isFull: () => logs.isFull });
    logs.onNoRoom(() => this.retention.onNoRoom());
    this.cleaner = new LogCleaner(parts);
    this.scrubber = new Scrubber(parts);
    this.#tasks = [this.#upkeep(), this.retention.task, this.cleaner.task, this.scrubber.task];
  }

  start(): void {
    for (const task of this.#tasks) task.start();
    if (this.#options.logs.isFull) this.retention.onNoRoom(); // it was so before anybody listened
  }

  /** No run begins any more; resolves when those under way have ended, or after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    const { clock, trace } = this.#options.env;
    const ended = Promise.all(this.#tasks.map((task) => task.stop())).then(() => true);
    const isEnded = await new Promise<boolean>((resolve, reject) => {
      const timer = clock.after(timeoutMs, () => resolve(false));
      ended.then(resolve, reject).finally(() => timer.cancel());
    });
    if (!isEnded) trace.event("warn", "background work has not ended in time", { timeoutMs });
  }

  /** At once: whatever is under way meets closed logs and ends. */
  halt(): void {
    for (const task of this.#tasks) void task.stop();
  }

  /** Logs of the durability class `memory` become durable in the background. */
  #upkeep(): RepeatedTask {
    const { env: { clock }, settings, logs } = this.#options;
    const everyMs = settings.get("mq.background.flush.ms");
    return new RepeatedTask({
      clock,
      firstMs: everyMs,
      everyMs,
      run: async () => {
        for (const partition of logs.partitions.all()) partition.flush();
        logs.expireProducers();
        await logs.keepUp();
      },
    });
  }
}
