/** What comes of one flipped bit in a data directory that a whole broker starts from. */
import { BrokerFault } from "../../src/broker/broker_fault.ts";
import { metadata } from "../../src/api/metadata.ts";
import { type Fixture, type RawConnection, startBroker } from "../broker/broker_fixture.ts";
import { fetchFrom } from "../broker/topic_requests.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";
import { batchesOf, flipped, type Image, type WrittenPartition } from "./bit_flip_image.ts";
import {
  DETECTED,
  type FlippedBit,
  HARMLESS,
  isSame,
  recoveryPointOf,
  type Verdict,
} from "./bit_flip_log.ts";

/** Answers at most for one partition: more of them is a reader that does not come on. */
const ANSWERS_MAX = 1000;

export async function judgeBroker(
  image: Image,
  base: MemoryDisk,
  { path, bit }: FlippedBit,
): Promise<Verdict> {
  let fixture: Fixture;
  try {
    fixture = await startBroker({}, flipped(base, "/", path, bit));
  } catch (fault) {
    if (fault instanceof BrokerFault) return DETECTED;
    return { kind: "wrong", reason: `uncaught at the start: ${String(fault)}` };
  }
  const { broker, dial, events } = fixture;
  try {
    const connection = await dial();
    const isTold = events.some((event) => /^(warn|error) /.test(event));
    const isCut = events.some((event) => event.includes("cut"));
    let verdict = isTold ? DETECTED : HARMLESS;
    for (const partition of image.partitions) {
      const cutFrom = isCut ? recoveryPointOf(base, partition.directory) : Infinity;
      const found = await readPartition(connection, partition, cutFrom);
      if (found.kind === "wrong") {
        return { ...found, reason: `${partition.topic}: ${found.reason}` };
      }
      if (found === DETECTED) verdict = DETECTED;
    }
    return verdict;
  } catch (fault) {
    return { kind: "wrong", reason: `uncaught: ${String(fault)}` };
  } finally {
    broker.halt();
  }
}

async function readPartition(
  connection: RawConnection,
  { topic, batches, endOffset }: WrittenPartition,
  cutFrom: number,
): Promise<Verdict> {
  let verdict = HARMLESS;
  let offset = 0;
  for (let answers = 0; offset < endOffset; answers++) {
    if (answers > ANSWERS_MAX) return { kind: "wrong", reason: "a reader does not come on" };
    const { errorCode, records } = await fetchFrom(connection, topic, { offset });
    const at = batches.findIndex((batch) => offset < batch.nextOffset);
    if (errorCode === UNKNOWN_TOPIC && !(await hasTopic(connection, topic))) {
      return { kind: "wrong", reason: "the topic is gone" };
    }
    if (errorCode === OFFSET_OUT_OF_RANGE || isNothing(errorCode, records)) {
      if (offset >= cutFrom) return DETECTED;
      return { kind: "wrong", reason: `nothing at offset ${offset}, error ${errorCode}` };
    }
    if (errorCode !== 0 || records === null) {
      verdict = DETECTED;
      offset = batches[at]?.nextOffset ?? endOffset;
      continue;
    }
    const served = batchesOf(records);
    const other = served.find(({ bytes }, index) =>
      !isSame(bytes, batches[at + index]?.bytes ?? NONE)
    );
    if (other !== undefined) {
      return { kind: "wrong", reason: `other bytes at offset ${other.baseOffset}` };
    }
    offset = served.at(-1)?.nextOffset ?? offset;
  }
  return verdict;
}

function isNothing(errorCode: number, records: Uint8Array | null): boolean {
  return errorCode === 0 && records?.length === 0;
}

const NONE = new Uint8Array(0);
const OFFSET_OUT_OF_RANGE = 1;
const UNKNOWN_TOPIC = 3;

async function hasTopic(connection: RawConnection, topic: string): Promise<boolean> {
  const { topics } = await connection.ask(metadata, 9, {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  });
  return topics.some(({ name }) => name === topic);
}
