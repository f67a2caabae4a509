/** Trouble for a cluster, drawn from a seed: one fault after the other, each healed before the next. */
import { lasting } from "../harness/until.ts";
import type { Prng } from "../../src/ground/prng.ts";
import type { Cluster, ClusterNode } from "../harness/cluster.ts";

const FAULT_MS_MAX = 2500;
const CALM_MS_MAX = 1500;
const DELAY_MS_MAX = 150;
const STOPPED_MS = 300;

/** What makes it good again. */
type Heal = () => Promise<unknown>;

interface Fault {
  readonly weight: number;
  readonly begin: (victims: Victims) => Promise<Heal>;
}

/** `first` is the active controller as often as not. */
interface Victims {
  readonly cluster: Cluster;
  readonly chance: Prng;
  readonly first: ClusterNode;
  readonly second: ClusterNode;
}

const FAULTS: Readonly<Record<string, Fault>> = {
  "kill -9": {
    weight: 4,
    begin: async ({ first }) => {
      await first.kill();
      return () => first.start();
    },
  },
  "kill -9 of two": {
    weight: 1,
    begin: async ({ first, second }) => {
      await Promise.all([first.kill(), second.kill()]);
      return () => Promise.all([first.start(), second.start()]);
    },
  },
  "SIGSTOP": {
    weight: 3,
    begin: ({ first }) => {
      first.pause();
      return Promise.resolve(() => Promise.resolve(first.resume()));
    },
  },
  "kill -9 of one that is stopped": {
    weight: 1,
    begin: async ({ first }) => {
      first.pause();
      await lasting(STOPPED_MS);
      await first.kill();
      return () => first.start();
    },
  },
  "isolated": { weight: 3, begin: (victims) => cutOff(victims, ["from", "to"]) },
  "heard by nobody": { weight: 2, begin: (victims) => cutOff(victims, ["from"]) },
  "hears nobody": { weight: 2, begin: (victims) => cutOff(victims, ["to"]) },
  "one link cut": {
    weight: 2,
    begin: ({ cluster: { links }, first, second }) => {
      links.cut(first.id, second.id);
      links.cut(second.id, first.id);
      return healing(links);
    },
  },
  "one link cut one way": {
    weight: 2,
    begin: ({ cluster: { links }, first, second }) => {
      links.cut(first.id, second.id);
      return healing(links);
    },
  },
  "slow links": {
    weight: 2,
    begin: ({ cluster: { links, nodes }, chance }) => {
      for (const one of nodes) {
        for (const other of nodes) links.delay(one.id, other.id, chance.below(DELAY_MS_MAX));
      }
      return healing(links);
    },
  },
  "connections reset": {
    weight: 1,
    begin: ({ cluster: { links, nodes }, first }) => {
      for (const other of nodes) links.break(first.id, other.id);
      return healing(links);
    },
  },
};

function cutOff(
  { cluster: { links, nodes }, first }: Victims,
  ways: readonly ("from" | "to")[],
): Promise<Heal> {
  for (const other of nodes) {
    if (other === first) continue;
    if (ways.includes("from")) links.cut(first.id, other.id);
    if (ways.includes("to")) links.cut(other.id, first.id);
  }
  return healing(links);
}

function healing(links: Cluster["links"]): Promise<Heal> {
  return Promise.resolve(() => Promise.resolve(links.heal()));
}

export class Nemesis {
  readonly #cluster: Cluster;
  readonly #chance: Prng;
  readonly #controllerId: () => Promise<number | undefined>;
  /** How often each fault was made. */
  readonly counts = new Map<string, number>();

  constructor(
    cluster: Cluster,
    chance: Prng,
    controllerId: () => Promise<number | undefined>,
  ) {
    this.#cluster = cluster;
    this.#chance = chance;
    this.#controllerId = controllerId;
  }

  /** Makes trouble until it is over; then all is well again. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const [name, fault] = this.#draw();
      const victims = await this.#victims();
      const heal = await fault.begin(victims);
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      await lasting(100 + this.#chance.below(FAULT_MS_MAX));
      await heal();
      await lasting(100 + this.#chance.below(CALM_MS_MAX));
    }
  }

  #draw(): readonly [string, Fault] {
    const all = Object.entries(FAULTS);
    let left = this.#chance.below(all.reduce((sum, [, { weight }]) => sum + weight, 0));
    for (const entry of all) {
      left -= entry[1].weight;
      if (left < 0) return entry;
    }
    throw new Error("Cannot draw a fault: the weights do not add up");
  }

  async #victims(): Promise<Victims> {
    const { nodes } = this.#cluster;
    const wanted = this.#chance.below(2) === 0 ? await this.#controllerId() : undefined;
    const drawn = nodes[this.#chance.below(nodes.length)] as ClusterNode;
    const first = nodes.find(({ id }) => id === wanted) ?? drawn;
    const others = nodes.filter((node) => node !== first);
    const second = others[this.#chance.below(others.length)] as ClusterNode;
    return { cluster: this.#cluster, chance: this.#chance, first, second };
  }
}
