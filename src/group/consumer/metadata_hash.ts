/**
 * The hash by which a group notices that its topics are not what they were when its epoch was made:
 * their ids, their partitions, the racks of their replicas (KIP-1101).
 *
 * Byte for byte Kafka's: a group that comes from Kafka, or goes there, does not rebalance for it.
 *
 *     topic = XXH3( 0:int8  id:16  name  partitions:int32  { partition:int32 { length:int32 rack } … } … )
 *     group = XXH3( topic:int64 … ), topics in the order of their names; 0 where there are none
 *     text  = UTF-16 units, then their number:int32
 *
 * All little-endian, as hash4j puts them; the id's halves are two int64.
 *
 * Source: kafka: group/Utils.computeTopicHash, computeGroupHash.
 */
import { type Uuid, uuidToBytes } from "../../ground/uuid.ts";
import type { ClusterImage, TopicImage } from "../../metadata/image.ts";
import { xxh3 } from "./xxh3.ts";

/** Of one cluster, for all groups that look at it. */
const HASHES = new WeakMap<ClusterImage, TopicHashes>();

export function hashesOf(image: ClusterImage): TopicHashes {
  let hashes = HASHES.get(image);
  if (hashes === undefined) HASHES.set(image, hashes = new TopicHashes());
  return hashes;
}

/** Topics are hashed again only when they have changed. */
export class TopicHashes {
  readonly #hashes = new Map<string, { readonly topicId: Uuid; readonly hash: bigint }>();

  /** The topic is new, gone or altered. */
  forget(topic: string): void {
    this.#hashes.delete(topic);
  }

  /** `topics` in the order of their names; those that are not there do not count. */
  hashOf(topics: readonly string[], image: ClusterImage): bigint {
    const hashes: bigint[] = [];
    for (const name of topics) {
      const topic = image.topic(name);
      if (topic === undefined) this.#hashes.delete(name);
      else hashes.push(this.#topicHash(topic, image));
    }
    if (hashes.length === 0) return 0n;
    const view = new DataView(new ArrayBuffer(8 * hashes.length));
    hashes.forEach((hash, at) => view.setBigInt64(8 * at, hash, true));
    return xxh3(new Uint8Array(view.buffer));
  }

  #topicHash(topic: TopicImage, image: ClusterImage): bigint {
    const known = this.#hashes.get(topic.name);
    if (known?.topicId === topic.topicId) return known.hash;
    const hash = xxh3(hashedBytes(topic, image));
    this.#hashes.set(topic.name, { topicId: topic.topicId, hash });
    return hash;
  }
}

function hashedBytes({ topicId, name, partitions }: TopicImage, image: ClusterImage): Uint8Array {
  const bytes: number[] = [0];
  const id = uuidToBytes(topicId);
  for (const half of [0, 8]) for (let at = half + 7; at >= half; at--) bytes.push(id[at] ?? 0);
  pushText(bytes, name);
  pushInt32(bytes, partitions.length);
  partitions.forEach(({ replicas }, partitionId) => {
    pushInt32(bytes, partitionId);
    const racks = replicas.flatMap((brokerId) => image.broker(brokerId)?.rack ?? []);
    for (const rack of racks.sort()) {
      pushInt32(bytes, rack.length);
      pushText(bytes, rack);
    }
  });
  return Uint8Array.from(bytes);
}

function pushText(bytes: number[], text: string): void {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    bytes.push(unit & 255, unit >>> 8);
  }
  pushInt32(bytes, text.length);
}

function pushInt32(bytes: number[], value: number): void {
  bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
}
