/**
 * How many seeds it takes to find each bug on purpose.
 *
 *     bun test/sim/plant_table.ts [--seeds N] [name …]
 */
import process from "node:process";
import { PLANT_NAMES, type PlantName } from "./plant.ts";
import { CLUSTER_PLANT_NAMES, type ClusterPlantName, worldOf } from "./plant_cluster.ts";
import { GROUP_PLANT_NAMES, type GroupPlantName, groupWorldOf } from "./plant_groups.ts";
import { ORDER_PLANT_NAMES, type OrderPlantName, orderWorldOf } from "./plant_orders.ts";
import { runSimulation } from "./run_seed.ts";
import { drawOptions } from "./sim_options.ts";

const SEEDS_MAX = 30;
const FINDS = 3;

const asked = process.argv.slice(2).filter((word) => !word.startsWith("--")) as PlantName[];
for (
  const plant of asked.length > 0
    ? asked
    : [...PLANT_NAMES, ...CLUSTER_PLANT_NAMES, ...GROUP_PLANT_NAMES, ...ORDER_PLANT_NAMES]
) {
  const finds: string[] = [];
  const needed: number[] = [];
  let last = 0;
  for (let seed = 1; seed <= SEEDS_MAX && finds.length < FINDS; seed++) {
    const given = isOfGroups(plant)
      ? { ...groupWorldOf(plant), plant }
      : isOfOrders(plant)
      ? { ...orderWorldOf(plant), plant }
      : isOfClusters(plant)
      ? { ...worldOf(plant), plant }
      : { plant, nodes: 1 };
    // deno-lint-ignore no-await-in-loop -- one after the other
    const { failure } = await runSimulation(drawOptions(seed, given));
    if (failure === undefined) continue;
    finds.push(`seed ${seed} ${failure.what} at ${(failure.atMs / 1000).toFixed(1)} s`);
    needed.push(seed - last);
    last = seed;
  }
  needed.sort((left, right) => left - right);
  const median = needed[needed.length >> 1] ?? Infinity;
  process.stdout.write(
    `${plant.padEnd(32)} median ${median}, worst ${needed.at(-1) ?? "not found"}: ${
      finds.join("; ")
    }\n`,
  );
}

function isOfClusters(plant: PlantName): plant is ClusterPlantName {
  return (CLUSTER_PLANT_NAMES as readonly string[]).includes(plant);
}

function isOfGroups(plant: PlantName): plant is GroupPlantName {
  return (GROUP_PLANT_NAMES as readonly string[]).includes(plant);
}

function isOfOrders(plant: PlantName): plant is OrderPlantName {
  return (ORDER_PLANT_NAMES as readonly string[]).includes(plant);
}
