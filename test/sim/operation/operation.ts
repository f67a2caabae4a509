/** One kind of thing that clients do, with what it predicts about the world. */
import type { Client } from "../../../src/client/client.ts";
import { ClientError } from "../../../src/client/client_error.ts";
import type { Clock } from "../../../src/env/clock.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import type { PlantName } from "../plant.ts";
import type { ImagePositions } from "../watch_images.ts";
import type { ClientProducers } from "../client_producers.ts";
import type { Shadow, TopicShadow } from "../shadow.ts";
import type { OperationName } from "./operation_names.ts";

export interface OperationContext {
  readonly client: Client;
  readonly producers: ClientProducers;
  readonly shadow: Shadow;
  readonly chance: Prng;
  readonly clock: Clock;
  /** Replicas of a topic that is created. */
  readonly replicationFactor: number;
  /** Several brokers: metadata that is read may be older than what was acknowledged by another. */
  readonly mayBeStale: boolean;
  /** What was decided, for all that any image has shown. */
  readonly positions: ImagePositions;
  readonly plant: PlantName | undefined;
  /** A record is told to be durable, or was read: it must be on a medium by then. */
  readonly onDurable: (what: "acknowledged" | "read", place: RecordPlace) => void;
  /** Hears why something that must work in the end did not work yet. */
  readonly onRefused: (error: ClientError) => void;
}

export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface Operation {
  readonly name: OperationName;
  /** Throws a `ClientError` where the world would not; `PromiseBroken` where it was wrong. */
  run(context: OperationContext): Promise<void>;
}

/** The world did what it promised not to do. */
export class PromiseBroken extends Error {
  override readonly name = "PromiseBroken";
  readonly promise: string;

  constructor(promise: string, message: string) {
    super(`${promise}: ${message}`);
    this.promise = promise;
  }
}

export function pickTopic({ shadow, chance }: OperationContext): TopicShadow | undefined {
  const topics = shadow.there();
  return topics[chance.below(topics.length)];
}

/** Whether the topic was deleted, or is about to be, by somebody else meanwhile. */
export function mayBeGone(topic: TopicShadow): boolean {
  return topic.existence !== "there";
}

/** An error of a result that is no fault of the world while somebody deletes the topic. */
export function throwUnlessGone(
  context: OperationContext,
  topic: TopicShadow,
  error: ClientError | undefined,
): void {
  if (error === undefined) return;
  if (error.code === "UNKNOWN_TOPIC_OR_PARTITION" && !mayBeGone(topic)) {
    throwUnlessStale(context, "topics stay", `${topic.name} is not there: ${error.message}`);
  }
  throw error;
}

/** What metadata does not show, or still shows: broken, or not there yet where brokers lag. */
export function throwUnlessStale(
  { mayBeStale }: OperationContext,
  promise: string,
  message: string,
): never {
  if (!mayBeStale) throw new PromiseBroken(promise, message);
  throw new ClientError("STALE_METADATA", `${promise}: ${message}`, { retriable: true });
}
