/**
 * A member of a group by @platformatic/kafka: `platformatic.ts HOST:PORT GROUP TOPIC [PROTOCOL]`, the
 * protocol being "classic" or "consumer". Prints "PARTITION OFFSET VALUE" of every record; SIGTERM
 * commits and leaves.
 */
import process from "node:process";
import { Consumer, stringDeserializers } from "@platformatic/kafka";
import { endWithStarter } from "./ends_with_its_starter.ts";

endWithStarter();
const [broker = "", groupId = "", topic = "", protocol = "classic"] = process.argv.slice(2);
const sessions = { sessionTimeout: 6000, rebalanceTimeout: 10_000, heartbeatInterval: 500 };
const consumer = new Consumer({
  clientId: "platformatic",
  bootstrapBrokers: [broker],
  groupId,
  deserializers: stringDeserializers,
  maxWaitTime: 200,
  autocommit: 500,
  ...(protocol === "consumer" ? { groupProtocol: "consumer" } : sessions),
});
const stream = await consumer.consume({
  topics: [topic],
  mode: "committed",
  fallbackMode: "earliest",
});
process.once("SIGTERM", () => {
  void stream.close().then(() => consumer.close(true)).then(() => process.exit(0));
});
for await (const { partition, offset, value } of stream) {
  process.stdout.write(`${partition} ${offset} ${value}\n`);
}
