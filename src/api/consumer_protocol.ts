/**
 * What consumers of a classic group tell each other through the coordinator: the metadata of a
 * JoinGroup (ConsumerProtocolSubscription) and the assignment of a SyncGroup
 * (ConsumerProtocolAssignment), for the protocol type "consumer".
 *
 *     subscription = version:int16 topics:[string] userData:bytes?
 *                    v1+ ownedPartitions:[topic:string partitions:[int32]]  (KIP-429)
 *                    v2+ generationId:int32                                 (KIP-792)
 *                    v3+ rackId:string?                                     (KIP-881)
 *     assignment   = version:int16 assignedPartitions:[topic:string partitions:[int32]] userData:bytes?
 *
 * Newer versions may only add fields at the end, so a version beyond 3 is read as 3, and whatever
 * stands behind the last field is left alone (kafka: ConsumerProtocol.java). It is not a schema of an
 * API, because it travels as bytes that the broker has no need to understand; who does look inside
 * gets undefined for whatever is not this format.
 *
 * Not here: what `userData` holds, which is the assignor's own.
 */
import { assert } from "../ground/assert.ts";
import { Reader } from "../ground/reader.ts";
import { utf8Bytes } from "../ground/text.ts";
import { Writer } from "../ground/writer.ts";

/** The newest version that is read and written. */
export const CONSUMER_PROTOCOL_VERSION = 3;

/** Partitions of one topic. */
export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface Subscription {
  /** 0 to 3; the fields of later versions then have the values that stand for "not told". */
  readonly version: number;
  readonly topics: readonly string[];
  /** A view of the bytes that were read, not a copy. */
  readonly userData: Uint8Array | null;
  readonly ownedPartitions: readonly TopicPartitions[];
  /** −1 = not told, or none. */
  readonly generationId: number;
  /** Null = not told, or none. */
  readonly rackId: string | null;
}

/** What a writer takes: only the topics must be given. */
export type SubscriptionInput =
  & Pick<Subscription, "topics">
  & Partial<Omit<Subscription, "version" | "topics">>;

export interface Assignment {
  readonly version: number;
  readonly assignedPartitions: readonly TopicPartitions[];
  /** A view of the bytes that were read, not a copy. */
  readonly userData: Uint8Array | null;
}

export type AssignmentInput =
  & Pick<Assignment, "assignedPartitions">
  & Partial<Pick<Assignment, "userData">>;

/** The subscription in `bytes`, or undefined where there is none. */
export function readSubscription(bytes: Uint8Array): Subscription | undefined {
  const reader = new Reader(bytes);
  const version = readVersion(reader);
  const topics = readArray(reader, { bytesMin: 2, read: readString });
  const userData = readNullableBytes(reader);
  const ownedPartitions = version >= 1 ? readTopicPartitions(reader) : [];
  const generationId = version >= 2 ? reader.int32() : -1;
  const rackId = version >= 3 ? readNullableString(reader) : null;
  if (reader.failure !== undefined) return undefined;
  return { version, topics, userData, ownedPartitions, generationId, rackId };
}

/**
 * The bytes of a subscription; fields that `version` lacks are left out.
 *
 * Topics are written in order, so that a member that subscribes to the same ones again is seen to
 * say the same again, and starts no rebalance.
 */
export function writeSubscription(
  subscription: SubscriptionInput,
  version: number = CONSUMER_PROTOCOL_VERSION,
): Uint8Array {
  const writer = versioned(version);
  const { topics, userData, ownedPartitions = [], generationId, rackId } = subscription;
  writeArray(writer, topics.toSorted(), writeString);
  writeNullableBytes(writer, userData ?? null);
  if (version >= 1) {
    const owned = ownedPartitions.toSorted(byTopic);
    writeArray(writer, owned, writeTopicPartitions);
  }
  if (version >= 2) writer.int32(generationId ?? -1);
  if (version >= 3) writeNullableString(writer, rackId ?? null);
  return writer.finish();
}

/** The assignment in `bytes`, or undefined where there is none; no bytes at all are none. */
export function readAssignment(bytes: Uint8Array): Assignment | undefined {
  const reader = new Reader(bytes);
  const version = readVersion(reader);
  const assignedPartitions = readTopicPartitions(reader);
  const userData = readNullableBytes(reader);
  return reader.failure === undefined ? { version, assignedPartitions, userData } : undefined;
}

/** The bytes of an assignment, which are the same in all versions but for the version. */
export function writeAssignment(
  assignment: AssignmentInput,
  version: number = CONSUMER_PROTOCOL_VERSION,
): Uint8Array {
  const writer = versioned(version);
  writeArray(writer, assignment.assignedPartitions, writeTopicPartitions);
  writeNullableBytes(writer, assignment.userData ?? null);
  return writer.finish();
}

function byTopic(left: TopicPartitions, right: TopicPartitions): number {
  if (left.topic === right.topic) return 0;
  return left.topic < right.topic ? -1 : 1;
}

function readVersion(reader: Reader): number {
  const version = reader.int16();
  if (version < 0) reader.fail(`Cannot read consumer protocol: version ${version} is below 0`);
  return Math.min(version, CONSUMER_PROTOCOL_VERSION);
}

function readTopicPartitions(reader: Reader): TopicPartitions[] {
  return readArray(reader, {
    bytesMin: 6, // two lengths
    read: () => ({
      topic: readString(reader),
      partitions: readArray(reader, { bytesMin: 4, read: readInt32 }),
    }),
  });
}

interface Elements<T> {
  readonly bytesMin: number;
  readonly read: (reader: Reader) => T;
}

function readArray<T>(reader: Reader, { bytesMin, read }: Elements<T>): T[] {
  const count = reader.elements(reader.int32(), bytesMin);
  const elements: T[] = [];
  for (let index = 0; index < count && reader.failure === undefined; index++) {
    elements.push(read(reader));
  }
  return elements;
}

function readInt32(reader: Reader): number {
  return reader.int32();
}

function readString(reader: Reader): string {
  return reader.text(reader.int16()); // a negative length, which is null, fails the reader
}

function readNullableString(reader: Reader): string | null {
  const byteLength = reader.int16();
  return byteLength < 0 ? null : reader.text(byteLength);
}

function readNullableBytes(reader: Reader): Uint8Array | null {
  const byteLength = reader.int32();
  return byteLength < 0 ? null : reader.take(byteLength);
}

function versioned(version: number): Writer {
  assert(
    version >= 0 && version <= CONSUMER_PROTOCOL_VERSION,
    `consumer protocol version ${version} is one of 0 to ${CONSUMER_PROTOCOL_VERSION}`,
  );
  const writer = new Writer();
  writer.int16(version);
  return writer;
}

function writeArray<T>(
  writer: Writer,
  elements: readonly T[],
  write: (writer: Writer, element: T) => void,
): void {
  writer.int32(elements.length);
  for (const element of elements) write(writer, element);
}

function writeTopicPartitions(writer: Writer, { topic, partitions }: TopicPartitions): void {
  writeString(writer, topic);
  writeArray(writer, partitions, (_, partition) => writer.int32(partition));
}

function writeString(writer: Writer, text: string): void {
  const byteLength = utf8Bytes(text);
  assert(byteLength <= 0x7fff, "a string is at most 32,767 bytes long");
  writer.int16(byteLength);
  writer.text(text);
}

function writeNullableString(writer: Writer, text: string | null): void {
  if (text === null) writer.int16(-1);
  else writeString(writer, text);
}

function writeNullableBytes(writer: Writer, bytes: Uint8Array | null): void {
  if (bytes === null) return writer.int32(-1);
  writer.int32(bytes.length);
  writer.raw(bytes);
}
