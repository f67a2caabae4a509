/**
 * Looks topics up anew when an answer has shown that what is known of them is wrong: one question per
 * topic at a time, and a pause behind each that grows until something of the topic works again.
 */
import type { ClientError } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import { backoffMs, sleep } from "./retry.ts";

export interface TopicRefresherOptions {
  readonly tools: ClientTools;
  /** Called when a topic was looked up and the pause is over, also where that failed. */
  onRefreshed(): void;
  /** Called where looking up failed. */
  onFailed?(error: ClientError): void;
}

export class TopicRefresher {
  readonly #options: TopicRefresherOptions;
  /** How often each topic was looked up since something of it worked. */
  readonly #counts = new Map<string, number>();
  readonly #refreshing = new Set<string>();

  constructor(options: TopicRefresherOptions) {
    this.#options = options;
  }

  refresh(topic: string): void {
    if (this.#refreshing.has(topic)) return;
    this.#refreshing.add(topic);
    const count = (this.#counts.get(topic) ?? 0) + 1;
    this.#counts.set(topic, count);
    this.#run(topic, count);
  }

  /** Something of this topic works. */
  succeed(topic: string): void {
    if (this.#counts.size > 0) this.#counts.delete(topic);
  }

  async #run(topic: string, count: number): Promise<void> {
    const { metadata, env, signal } = this.#options.tools;
    try {
      await metadata.refresh(topic);
    } catch (thrown) {
      this.#options.onFailed?.(thrown as ClientError);
    }
    // Where it is stopped, there is nothing to wait for.
    await sleep(env.clock, backoffMs(count, env.random), signal).catch(() => undefined);
    this.#refreshing.delete(topic);
    this.#options.onRefreshed();
  }
}
