/** How long a trouble lasts: mostly around the mean of the run, at times much shorter or longer. */
import type { Prng } from "../../../src/ground/prng.ts";
import type { World } from "./world.ts";

export function troubleMs(world: World, random: Prng): number {
  const mean = world.options.troubleMeanMs;
  const shape = random.below(8);
  if (shape === 0) return 1 + random.below(Math.ceil(mean / 10));
  if (shape === 1) return mean + random.below(4 * mean);
  return 1 + random.below(2 * mean);
}
