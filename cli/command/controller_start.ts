/** `mq controller start`: a node that keeps the cluster's metadata and has no topics. */
import type { CommandSpec } from "../command_spec.ts";
import { nodeFlags, runNode } from "../run_node.ts";

export const controllerStart: CommandSpec = {
  path: "controller start",
  summary: "Run a controller without topics in the foreground, until SIGINT or SIGTERM",
  arguments: [],
  flags: nodeFlags,
  details: [
    "The same as mq broker start --roles controller. Brokers find it by --controller-quorum; clients " +
    "talk to brokers, but mq cluster quorum, add-voter and remove-voter work here as well.",
    "SIGINT or SIGTERM stops it in order and the exit code is 0; a second signal stops it at once, " +
    "with 130 or 143.",
  ],
  examples: [
    [
      "One of three; VOTERS is 1@h1:9093,2@h2:9093,3@h3:9093",
      "mq controller start --node-id 1 --listen h1:9093 --cluster-id $ID --controller-quorum $VOTERS",
    ],
    [
      "A broker that uses them",
      "mq broker start --roles broker --node-id 11 --cluster-id $ID --controller-quorum $VOTERS",
    ],
  ],
  endsBySignal: true,
  run: (context) => runNode(context, "controller"),
};
