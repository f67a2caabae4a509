/**
 * Plays the scripts of `test/scenario/group/classic/` and compares the traces. `MQ_REWRITE=1` writes
 * them anew, to be read before they are kept.
 */
import { describeScenarios } from "../../harness/scenarios.ts";
import { run } from "./script.ts";
import { World } from "./world.ts";

describeScenarios({
  title: "classic group scenarios",
  folder: new URL("../../scenario/group/classic/", import.meta.url),
  begin: () => {
    const world = new World();
    return (command) => run(world, command);
  },
  wrong: "join a\n----\na <- joined a#1\n",
});
