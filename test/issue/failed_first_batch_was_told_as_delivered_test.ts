/**
 * The first batch of a producer failed while the one behind it was under way. The broker, which knew
 * nothing of the producer, took the second one's sequence as the first; when the first came again it was
 * refused as out of order, and the producer, to whom one behind it was acknowledged, told it as delivered.
 */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { produce } from "../../src/api/produce.ts";
import { valued, valuesIn } from "../client/harness.ts";
import { refusal, setUpRetries, stampsOf, texts } from "../client/producing.ts";

test("nothing follows the first batch of an epoch before it is acknowledged", async () => {
  const { producer, broker, clock, cluster, reports } = await setUpRetries();
  broker.script(produce, refusal(ErrorCode.KafkaStorageError));
  for (const text of texts(3)) producer.append("a", valued(text));
  const flushed = producer.flush();
  await clock.settle();
  expect(stampsOf(broker)).toEqual(["0:0"]);
  await clock.until(flushed);
  expect(stampsOf(broker)).toEqual(["0:0", "0:0", "0:1", "0:2"]);
  expect(valuesIn(cluster.partition("a", 0))).toEqual(texts(3));
  expect(reports.map(({ baseOffset }) => baseOffset)).toEqual([0, 1, 2]);
});

test("nor in the epoch that is begun because one was given up", async () => {
  const { producer, broker, clock, cluster } = await setUpRetries();
  await clock.until(producer.send("a", valued("0")));
  broker.script(produce, refusal(ErrorCode.InvalidRecord));
  await clock.until(producer.send("a", valued("1")).catch(() => undefined));
  const gate = Promise.withResolvers<void>();
  broker.script(produce, { kind: "hold", when: gate.promise });
  for (const text of texts(3)) producer.append("a", valued(text));
  const flushed = producer.flush();
  await clock.settle();
  expect(stampsOf(broker)).toEqual(["0:0", "0:1", "1:0"]);
  gate.resolve();
  await clock.until(flushed);
  expect(valuesIn(cluster.partition("a", 0))).toEqual(["0", ...texts(3)]);
});

test("a record that was refused is not told as delivered where the broker has forgotten the producer", async () => {
  const { producer, broker, clock, cluster, reports } = await setUpRetries();
  await clock.until(producer.send("a", valued("0")));
  cluster.partition("a", 0).producers.clear();
  broker.script(produce, refusal(ErrorCode.KafkaStorageError));
  for (const text of texts(2)) producer.append("a", valued(text));
  await clock.until(producer.flush());
  expect(valuesIn(cluster.partition("a", 0))).toEqual(["0", texts(2)[1] as string]);
  expect(reports.map(({ error }) => error?.code))
    .toEqual([undefined, undefined, "OUT_OF_ORDER_SEQUENCE_NUMBER"]);
});
