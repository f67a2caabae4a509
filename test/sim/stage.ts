/** What a script sees of the world that it plays in: for tests of one certain course of events. */
import { Client } from "../../src/client/client.ts";
import type { Env } from "../../src/env/env.ts";
import { KAFKA_PORT, type SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

export type Script = (stage: Stage) => Promise<void>;

const LOOK_MS = 5;
const UNTIL_MS = 60_000;
const REQUEST_TIMEOUT_MS = 5000;

export class Stage {
  readonly world: World;
  readonly env: Env;

  constructor(world: World, env: Env) {
    this.world = world;
    this.env = env;
  }

  /** By its id. */
  node(id: number): SimNode {
    return this.world.nodes[id - 1] as SimNode;
  }

  idOf(node: SimNode): number {
    return this.world.nodes.indexOf(node) + 1;
  }

  /** Of all brokers, or of one. */
  client(node?: SimNode, requestTimeoutMs = REQUEST_TIMEOUT_MS): Client {
    const brokers = node === undefined
      ? this.world.brokers
      : [{ host: node.process.name, port: KAFKA_PORT }];
    return new Client({ brokers, env: this.env, requestTimeoutMs });
  }

  get nowMs(): number {
    return this.world.scheduler.nowUs / 1000;
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.env.clock.after(delayMs, resolve));
  }

  /** What it gives, as soon as it gives something that is neither false nor undefined. */
  async until<Found>(
    what: string,
    look: () => Found | false | undefined,
    withinMs = UNTIL_MS,
  ): Promise<Found> {
    const endMs = this.nowMs + withinMs;
    for (;;) {
      const found = look();
      if (found !== false && found !== undefined) return found;
      if (this.nowMs >= endMs) throw new Error(`Did not happen within ${withinMs} ms: ${what}`);
      // deno-lint-ignore no-await-in-loop -- until it is so
      await this.sleep(LOOK_MS);
    }
  }

  /** The node that leads, alive and not paused. */
  controller(): Promise<SimNode> {
    return this.until("somebody leads", () => {
      return this.world.nodes.find(({ isActiveController, process: { life } }) => {
        return isActiveController && life?.isPaused === false;
      });
    });
  }

  allServe(): Promise<true> {
    return this.until("all nodes serve", () => {
      return this.world.nodes.every(({ phase }) => phase === "serving");
    });
  }

  expect(condition: boolean, what: string): void {
    if (!condition) throw new Error(`Expected: ${what}`);
  }

  cutOff(node: SimNode): void {
    for (const other of this.#names()) {
      this.world.network.cut(node.process.name, other);
      this.world.network.cut(other, node.process.name);
    }
  }

  heal(): void {
    this.world.network.healAll();
  }

  #names(): readonly string[] {
    return [...this.world.nodes, ...this.world.clients].map(({ process }) => process.name);
  }
}
