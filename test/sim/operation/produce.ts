/**
 * Sends a few records, with one of four kinds of producer.
 *
 * Acknowledged: a reader finds the value at the offset that was told. acks=all on a topic of class
 * quorum-fsync survives a loss of power; everything else that was acknowledged survives a kill; acks=0
 * promises nothing. An idempotent producer's records come once, in their order.
 */
import type { ClientError } from "../../../src/client/client_error.ts";
import type { DeliveryReport } from "../../../src/client/producer_options.ts";
import { bytesOf } from "../../../src/ground/text.ts";
import { PRODUCER_KINDS, type ProducerKind } from "../client_producers.ts";
import type { TopicShadow } from "../shadow.ts";
import {
  mayBeGone,
  type Operation,
  type OperationContext,
  pickTopic,
  PromiseBroken,
} from "./operation.ts";

const RECORDS_MAX = 5;

export const produce: Operation = {
  name: "produce",
  async run(context): Promise<void> {
    const topic = pickTopic(context);
    if (topic === undefined) return;
    const { chance } = context;
    const kind = chance.oneIn(2)
      ? "idempotent"
      : PRODUCER_KINDS[chance.below(PRODUCER_KINDS.length)] as ProducerKind;
    const count = 1 + chance.below(RECORDS_MAX);
    const partition = chance.below(topic.partitions.length);
    const errors = await sendRecords(context, { topic, partition, kind, count });
    const [error] = errors;
    if (error !== undefined) throw error;
  },
};

export interface Sending {
  readonly topic: TopicShadow;
  readonly partition: number;
  readonly kind: ProducerKind;
  readonly count: number;
}

/** The errors of those that were not delivered, for all that the client knows. */
export async function sendRecords(
  context: OperationContext,
  sending: Sending,
): Promise<readonly ClientError[]> {
  const { count } = sending;
  const sent: Promise<ClientError | undefined>[] = [];
  for (let index = 0; index < count; index++) sent.push(sendOne(context, sending));
  return (await Promise.all(sent)).filter((error) => error !== undefined);
}

function sendOne(
  context: OperationContext,
  { topic, partition, kind }: Sending,
): Promise<ClientError | undefined> {
  const { producers, shadow, chance, plant } = context;
  const of = topic.partition(partition);
  const { producer, tag } = producers.of(kind);
  const number = producers.nextNumber();
  const padding = "x".repeat(chance.below(chance.oneIn(10) ? 3000 : 100));
  const value = `${topic.name}-${partition}|${tag}|${number}|${padding}`;
  const { lossCount } = of;
  const isIdempotent = kind === "idempotent";
  of.sent.set(value, { value, producer: tag, number, isIdempotent, lossCount });
  const isDurable = of.durability === "quorum-fsync" && (isIdempotent || kind === "all");
  return new Promise((resolve, reject) => {
    const onDelivered = ({ offset, error }: DeliveryReport): void => {
      if (error !== undefined) {
        const isBroken = error.code === "UNKNOWN_TOPIC_OR_PARTITION" && !mayBeGone(topic) &&
          !context.mayBeStale;
        if (isBroken) {
          reject(new PromiseBroken("topics stay", `${topic.name} is not known: ${error.message}`));
        }
        return resolve(error);
      }
      resolve(undefined);
      if (kind === "none" || of.lossCount !== lossCount || shadow.isDamaged) return;
      const expected = { value, isDurable, serial: shadow.nextSerial() };
      if (offset < 0) {
        if (kind !== "one") of.somewhere.set(value, expected);
        return;
      }
      const place = { topic: topic.name, partition, offset };
      if (isDurable && !mayBeGone(topic)) context.onDurable("acknowledged", place);
      const other = of.expected.get(offset);
      if (other !== undefined && other.value !== value) {
        reject(
          new PromiseBroken("an offset is given once", `${topic.name}-${partition} at ${offset}`),
        );
      }
      of.expected.set(offset, expected);
      if (kind !== "one") of.endMin = Math.max(of.endMin, offset + 1); // committed, too
    };
    const record = { key: null, value: bytesOf(value), partition };
    const wait = producer.append(topic.name, record, onDelivered);
    if (wait instanceof Promise) wait.catch(() => undefined); // reported as well
    if (plant === "client-sends-twice" && chance.oneIn(4)) {
      void producer.append(topic.name, record, () => undefined);
    }
  });
}
