/** `mq broker start`: a broker in the foreground, until a signal; a controller as well unless said otherwise. */
import type { CommandSpec } from "../command_spec.ts";
import { nodeFlags, runNode } from "../run_node.ts";

export const brokerStart: CommandSpec = {
  path: "broker start",
  summary: "Run a broker in the foreground, until SIGINT or SIGTERM",
  arguments: [],
  flags: [
    ...nodeFlags,
    {
      name: "roles",
      value: "LIST",
      summary: "broker, controller or both: process.roles (broker,controller)",
    },
  ],
  details: [
    "A setting is taken from its flag, else from -X, else from the file of -c, else from what --dev " +
    "implies, else it has its default. A name that is not known is a warning.",
    "Alone it is a cluster of one. In a cluster of several every node is given --node-id, " +
    "--controller-quorum with the same list of voters, and, while its directory is empty, the same " +
    "--cluster-id (mq storage random-id gives one). A node that comes later names any controllers by " +
    "HOST:PORT; mq cluster add-voter makes it a voter.",
    "SIGINT or SIGTERM stops it in order and the exit code is 0; a second signal stops it at once, " +
    "with 130 or 143.",
  ],
  examples: [
    ["A durable broker on 127.0.0.1:9092", "mq broker start"],
    ["For a test", "mq broker start --dev --ready-file ready.json"],
    ["With an operator's file", "mq broker start -c server.properties -X num.partitions=3"],
    [
      "One of three; VOTERS is 1@h1:9092,2@h2:9092,3@h3:9092",
      "mq broker start --node-id 1 --listen h1:9092 --cluster-id $ID --controller-quorum $VOTERS",
    ],
  ],
  endsBySignal: true,
  run: (context) => runNode(context),
};
