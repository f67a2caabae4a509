/**
 * Plays the scripts of `test/scenario/raft/` and compares the traces. `MQ_REWRITE=1` writes them anew,
 * to be read before they are kept.
 */
import { describeScenarios } from "../harness/scenarios.ts";
import { ScriptRun } from "./script.ts";

describeScenarios({
  title: "raft scenarios",
  folder: new URL("../scenario/raft/", import.meta.url),
  begin: () => {
    const run = new ScriptRun();
    return (command) => run.run(command);
  },
  wrong: "add-nodes 1\ntick 1\n----\n1 is follower term=0 leader=none\n",
});
