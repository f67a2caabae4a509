/**
 * What the metadata log says of topics, as far as an examination of the other logs needs it.
 *
 * Read straight from the batches, so that it works where the log itself is damaged: what cannot be read
 * is left out. How a record's value is encoded is the caller's to know.
 */
import { type Disk, DiskFault } from "../../env/disk.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { BatchView } from "../../record/batch_view.ts";
import { RecordCursor } from "../../record/record_cursor.ts";
import { walkLog } from "./log_walk.ts";
import { listPartition } from "./partition_files.ts";

/** The value of a record of the metadata log; undefined where the bytes are none. */
export type DecodeMetadata = (bytes: Uint8Array) => unknown;

export interface KnownTopic {
  readonly name: string;
  readonly topicId: string;
  readonly isCompacted: boolean;
  /** Broker ids of the replicas, by partition. */
  readonly partitions: ReadonlyMap<number, readonly number[]>;
}

interface OpenTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: Map<number, readonly number[]>;
}

type Fields = Readonly<Record<string, unknown>>;

export class MetadataTopics {
  readonly #byId = new Map<string, OpenTopic>();
  /** Values of `cleanup.policy` that were set, by topic name. */
  readonly #policies = new Map<string, string>();
  recordCount = 0;

  /** Topics by name. */
  topics(): ReadonlyMap<string, KnownTopic> {
    return new Map([...this.#byId.values()].map((topic) => [topic.name, {
      ...topic,
      isCompacted: this.#policies.get(topic.name)?.includes("compact") ?? false,
    }]));
  }

  replay(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    const record = value as Fields;
    if (typeof record["kind"] !== "string") return; // of another broker's metadata
    this.recordCount++;
    const topicId = String(record["topicId"]);
    switch (record["kind"]) {
      case "topic": {
        const name = String(record["name"]);
        this.#byId.set(topicId, { name, topicId, partitions: new Map() });
        return;
      }
      case "partition": {
        const replicas = record["replicas"];
        this.#byId.get(topicId)?.partitions.set(
          Number(record["partitionId"]),
          Array.isArray(replicas) ? replicas.map(Number) : [],
        );
        return;
      }
      case "remove-topic": {
        const name = this.#byId.get(topicId)?.name;
        this.#byId.delete(topicId);
        if (name !== undefined) this.#policies.delete(name);
        return;
      }
      case "config":
        return this.#onConfig(record);
    }
  }

  #onConfig(record: Fields): void {
    if (record["resourceType"] !== "topic" || record["name"] !== "cleanup.policy") return;
    const name = String(record["resourceName"]);
    const policy = record["value"];
    if (typeof policy === "string") this.#policies.set(name, policy);
    else this.#policies.delete(name);
  }
}

/** Undefined where there is no metadata log that can be read, or it is another broker's kind. */
export async function readMetadataTopics(
  disk: Disk,
  crc32c: Crc32c,
  path: string,
  decode: DecodeMetadata,
): Promise<ReadonlyMap<string, KnownTopic> | undefined> {
  const topics = new MetadataTopics();
  const visitor = {
    onBatch(batch: BatchView): boolean {
      for (const value of recordValues(batch)) topics.replay(decode(value));
      return true;
    },
    onDamage: () => undefined,
  };
  try {
    for (const { log } of listPartition(disk, path).segments) {
      if (log === undefined) continue;
      const file = disk.open(`${path}/${log.name}`, "read");
      try {
        // deno-lint-ignore no-await-in-loop -- in the order of the log
        await walkLog(file, { crc32c, end: log.bytes }, visitor);
      } finally {
        file.close();
      }
    }
  } catch (fault) {
    if (!(fault instanceof DiskFault)) throw fault;
    return undefined;
  }
  return topics.recordCount === 0 ? undefined : topics.topics();
}

/** Values of a batch that is not compressed and no control batch; metadata is neither. */
export function* recordValues(batch: BatchView): Generator<Uint8Array> {
  if (batch.isControl() || batch.compressionType() !== "none") return;
  const cursor = new RecordCursor({ decompress: (_, bytes) => bytes, inflatedBytesMax: 0 });
  cursor.open(batch);
  while (cursor.next()) {
    const value = cursor.value();
    if (value !== null) yield value;
  }
}
