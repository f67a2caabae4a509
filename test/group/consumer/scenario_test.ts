/**
 * Plays the scripts of `test/scenario/group/consumer/` and compares what they print. `MQ_REWRITE=1`
 * writes them anew, to be read before they are kept.
 */
import { describeScenarios } from "../../harness/scenarios.ts";
import { GroupScript } from "./group_script.ts";
import { ReconcileScript } from "./reconcile_script.ts";

describeScenarios({
  title: "consumer group scenarios",
  folder: new URL("../../scenario/group/consumer/", import.meta.url),
  begin: (name) => {
    const script = name.startsWith("reconcile_") ? new ReconcileScript() : new GroupScript();
    return (command) => script.run(command);
  },
  wrong: "topic A 4\njoin a topics=A\n----\na: epoch 9, has -\n",
});
