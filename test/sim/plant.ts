/**
 * Bugs on purpose: what a simulation must be able to find. Only tests plant one.
 *
 * A bug is planted in one world and for the length of its run: in its disks and network, or by another
 * method on a class of production code, which is put back.
 */
import { Log } from "../../src/log/log.ts";
import { ProducerStates } from "../../src/log/producers/producer_state.ts";
import { LogHints } from "../../src/runtime/log_hints.ts";
import { Partition } from "../../src/runtime/partition.ts";
import { Life } from "./life.ts";
import { CLUSTER_BUGS, type ClusterPlantName } from "./plant_cluster.ts";
import { GROUP_BUGS, type GroupPlantName } from "./plant_groups.ts";
import { ORDER_BUGS, type OrderPlantName } from "./plant_orders.ts";
import { replace, replaceGetter, type Undo } from "./replace.ts";
import type { World } from "./world.ts";

export const PLANT_NAMES = [
  "sync-does-nothing",
  "directory-sync-does-nothing",
  "sync-returns-early",
  "metadata-sync-returns-early",
  "acks-before-the-sync",
  "producers-are-forgotten",
  "trim-is-forgotten",
  "high-watermark-goes-back",
  "writes-are-lost",
  "crash-is-not-an-end",
  "client-sends-twice",
  "reads-skip-a-batch",
  "value-of-another",
  "network-never-heals",
  "timer-of-the-host",
] as const;

export type PlantName =
  | (typeof PLANT_NAMES)[number]
  | ClusterPlantName
  | GroupPlantName
  | OrderPlantName;

const LOST_EVERY_US = 500_000;
const BACK_EVERY = 2000;

/** Plants the bug that the options name; gives back what takes it out. */
export function plantBug(world: World): Undo {
  const { plant } = world.options;
  const bug = plant === undefined ? undefined : BUGS[plant];
  return bug?.(world) ?? (() => undefined);
}

/** Those that are missing are in the operations of the workload. */
const BUGS: Partial<Record<PlantName, (world: World) => Undo | void>> = {
  ...CLUSTER_BUGS,
  ...GROUP_BUGS,
  ...ORDER_BUGS,
  "sync-does-nothing": ({ nodes }) => {
    for (const { process } of nodes) process.faults.honesty.isSyncHonest = false;
  },
  "directory-sync-does-nothing": ({ nodes }) => {
    for (const { process } of nodes) process.faults.honesty.isDirectorySyncHonest = false;
  },
  "sync-returns-early": () => {
    return replace(Log.prototype, "sync", function (this: Log): Promise<number> {
      return Promise.resolve(this.logEndOffset);
    });
  },
  "metadata-sync-returns-early": () => {
    const { sync } = Log.prototype;
    return replace(Log.prototype, "sync", function (this: Log): Promise<number> {
      if (!this.directory.includes("__cluster_metadata")) return sync.call(this);
      return Promise.resolve(this.logEndOffset);
    });
  },
  "acks-before-the-sync": () => {
    return replaceGetter(
      Partition.prototype,
      "highWatermark",
      (partition) => partition.log.logEndOffset as number,
    );
  },
  "producers-are-forgotten": () => {
    return replace(ProducerStates.prototype, "check", () => ({ kind: "append" }));
  },
  "trim-is-forgotten": () => {
    return replace(LogHints.prototype, "writeLogStarts", () => Promise.resolve());
  },
  "high-watermark-goes-back": () => {
    let count = 0;
    return replaceGetter(Partition.prototype, "highWatermark", (partition, present: number) => {
      if (++count % BACK_EVERY > 0) return present;
      return Math.max(partition.log.logStartOffset, present - 1);
    });
  },
  "writes-are-lost": ({ nodes, scheduler }) => {
    const lose = (): void => {
      for (const { process } of nodes) process.faults.nextWrite = "lost";
      scheduler.after(LOST_EVERY_US, { label: "lose" }, lose);
    };
    lose();
  },
  "crash-is-not-an-end": () => {
    return replace(Life.prototype, "end", function (this: Life): void {
      this.isPaused = false;
    });
  },
  "network-never-heals": ({ network, clients }) => {
    for (const { process } of clients) network.cut("n1", process.name);
    return replace(network, "healAll", () => undefined);
  },
  "timer-of-the-host": ({ clients }) => {
    const [client] = clients;
    if (client === undefined) return;
    const { onDone } = client.options;
    client.options.onDone = (operation, outcome) => {
      setTimeout(() => undefined, 1);
      onDone(operation, outcome);
    };
  },
};
