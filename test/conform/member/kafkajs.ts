/**
 * A member of a group by kafkajs: `kafkajs.ts HOST:PORT GROUP TOPIC`. Prints "PARTITION OFFSET VALUE"
 * of every record; SIGTERM commits and leaves.
 */
import process from "node:process";
import { Kafka, logLevel } from "kafkajs";
import { endWithStarter } from "./ends_with_its_starter.ts";

endWithStarter();
const [broker = "", groupId = "", topic = ""] = process.argv.slice(2);
const kafka = new Kafka({ clientId: "kafkajs", brokers: [broker], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: 6000,
  rebalanceTimeout: 10_000,
  heartbeatInterval: 500,
});
process.once("SIGTERM", () => {
  void consumer.disconnect().then(() => process.exit(0));
});
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  autoCommitInterval: 500,
  eachMessage: ({ partition, message }) => {
    process.stdout.write(`${partition} ${message.offset} ${message.value}\n`);
    return Promise.resolve();
  },
});
