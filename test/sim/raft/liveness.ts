/**
 * The second phase of a run: a core of nodes is healed, all other trouble is made permanent, and the
 * core must make progress. A system that is safe because it stands still fails here.
 *
 * The core holds a majority of every configuration that rules anywhere, with the disks they voted with.
 * Where there is no such core (too many disks were exchanged while a change was under way) nothing is
 * demanded, and the result says so: tests bound how often that may be.
 */
import { Prng } from "../../../src/ground/prng.ts";
import { type Configuration, findReplica } from "../../../src/raft/configuration.ts";
import { keepsMajority, rulingConfigurations } from "./fault/empty_disk.ts";
import { swapBack } from "./fault/swap_disks.ts";
import { shown } from "./invariant/configuration_in_log.ts";
import type { SimOptions } from "./options.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

/** So long before the end the last batch must have been proposed, to be everywhere at the end. */
const SETTLE_MS = 3_000;
const PROBE_MS = 250;
/**
 * Who was far behind when progress began to be demanded need not be there at the end, where requests with
 * one batch each follow each other without haste: it must have come on by so much.
 */
const COMING_ON = 50;

export class Liveness {
  skipped: string | undefined;
  readonly diskDelays: SimOptions["disk"];
  readonly #world: World;
  readonly #random: Prng;
  #core: ReadonlySet<number> = new Set();
  #beganMs = 0;
  #endBeforeSettling = 0;
  readonly #appliedThen = new Map<SimNode, number>();

  constructor(world: World) {
    this.#world = world;
    this.#random = new Prng(world.options.seed ^ 0x11ee);
    this.diskDelays = { ...world.options.disk, syncMinMs: 0, syncMeanMs: 2 };
  }

  isCore(node: number): boolean {
    return this.#core.has(node);
  }

  begin(): void {
    const world = this.#world;
    this.#beganMs = world.nowMs;
    swapBack(world);
    const core = this.#chosenCore();
    if (core === undefined) {
      this.skipped = "no majority has its disks";
      return;
    }
    this.#core = core;
    for (const node of world.nodes) this.#appliedThen.set(node, node.state.appliedOffset);
    const { electionTimeoutMs, livenessMs } = world.options;
    world.network.calm(core, Math.max(1, Math.floor(electionTimeoutMs / 40)));
    for (const node of world.nodes) {
      if (core.has(node.index)) this.#heal(node);
      else this.#settleTrouble(node);
    }
    world.note(-1, `liveness: core ${[...core].map((index) => index + 1).join(" ")}`);
    this.#probe(world.nowMs + livenessMs - SETTLE_MS);
  }

  /** What the core has not done that it should have; asked at the end. */
  missing(): string | undefined {
    if (this.skipped !== undefined) return undefined;
    const world = this.#world;
    const core = world.nodes.filter((node) => this.isCore(node.index));
    const states = core.map((node) =>
      `${node.id}: ${node.soft.role} of term ${node.term}, commit ${node.commitOffset}, ` +
      `applied ${node.state.appliedOffset}, log ${node.log.startOffset}..${node.log.endOffset}, ${
        shown(node.configuration)
      }`
    ).join("; ");
    if (world.lastAcknowledgedMs < this.#beganMs) return `no proposal was acknowledged: ${states}`;
    if (world.lastReadMs < this.#beganMs) return `no read was answered: ${states}`;
    const behind = core.filter((node) => {
      const { appliedOffset } = node.state;
      const comingOn = (this.#appliedThen.get(node) ?? 0) + COMING_ON;
      return this.#isVoter(node) && appliedOffset < Math.min(this.#endBeforeSettling, comingOn);
    });
    return behind.length === 0
      ? undefined
      : `node ${behind[0]?.id} has not applied ${this.#endBeforeSettling}: ${states}`;
  }

  #isVoter(node: SimNode): boolean {
    return findReplica(this.#world.history.configuration.voters, node.key) !== undefined;
  }

  /** Nodes in a drawn order, until they hold every majority that is needed. */
  #chosenCore(): ReadonlySet<number> | undefined {
    const world = this.#world;
    const configurations = [...rulingConfigurations(world), ...this.#configurationsToCome()];
    const suffices = (core: ReadonlySet<number>): boolean =>
      configurations.every(({ voters, outgoing }) =>
        [voters, outgoing ?? voters].every((set) => {
          const reachable = set.filter(({ id }) => core.has(id - 1));
          const lost = set.length - reachable.length;
          return keepsMajority(world, set, undefined) &&
            this.#presentCount(reachable) * 2 > reachable.length + lost;
        })
      );
    const order = world.nodes.map(({ index }) => index);
    for (let at = order.length - 1; at > 0; at--) {
      const other = this.#random.below(at + 1);
      [order[at], order[other]] = [order[other] as number, order[at] as number];
    }
    const core = new Set<number>();
    for (const index of order) {
      core.add(index);
      if (suffices(core)) return core;
    }
    return undefined;
  }

  /** What changes under way lead to: who is being added may fall the moment it has caught up. */
  #configurationsToCome(): readonly Configuration[] {
    return this.#world.nodes.flatMap((node) => {
      const target = node.raft?.status().change?.target;
      return target === undefined ? [] : [{ voters: target, learners: [] }];
    });
  }

  #presentCount(voters: readonly { readonly id: number; readonly directoryId: string }[]): number {
    const world = this.#world;
    return voters.filter(({ id, directoryId }) =>
      !world.areDirectoriesKnown || world.nodes[id - 1]?.key.directoryId === directoryId
    ).length;
  }

  #heal(node: SimNode): void {
    node.slowFactor = 1;
    this.#world.resume(node);
    this.#world.start(node);
  }

  /** A node outside the core is down, stopped, unheard, deaf or cut off, or well, for good. */
  #settleTrouble(node: SimNode): void {
    const world = this.#world;
    const { network } = world;
    const others = world.nodes.filter((each) => each !== node);
    const out = others.map((other) => network.link(node.index, other.index));
    const back = others.map((other) => network.link(other.index, node.index));
    switch (this.#random.below(6)) {
      case 0:
        world.stop(node, this.#random);
        break;
      case 1:
        world.pause(node);
        break;
      case 2:
        network.cut(out);
        break;
      case 3:
        network.cut(back);
        break;
      case 4:
        network.cut([...out, ...back]);
        break;
      default: // stays as it is
    }
  }

  #probe(untilMs: number): void {
    const world = this.#world;
    for (const node of world.nodes) {
      if (node.isUp && !node.isPaused && node.soft.role === "leader") {
        node.propose();
        node.read();
      }
    }
    this.#endBeforeSettling = world.history.endOffset;
    if (world.nowMs + PROBE_MS < untilMs) {
      world.later(undefined, PROBE_MS, () => this.#probe(untilMs));
    }
  }
}
