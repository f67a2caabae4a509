/**
 * `cleaner-offset-checkpoint` of one log directory: up to where each of its logs is clean.
 *
 * A hint in Kafka's own format: with a wrong or a missing entry a log is compacted from its start.
 * Topics that came anew under an old name are told apart by their ids, which the file does not hold.
 */
import type { Disk } from "../../env/disk.ts";
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { writeAtomically } from "../atomic_file.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../checkpoint_file.ts";

export const CLEANER_CHECKPOINT_FILE = "cleaner-offset-checkpoint";

export interface CheckpointKey {
  readonly topic: string;
  readonly topicId: string;
  readonly partitionId: number;
}

interface Entry {
  readonly topic: string;
  readonly partition: number;
  /** Undefined for an entry out of the file that nobody has asked for. */
  topicId: string | undefined;
  offset: Offset;
}

export class CleanerCheckpoint {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #entries = new Map<string, Entry>();
  #isChanged = false;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#path = `${directory}/${CLEANER_CHECKPOINT_FILE}`;
    const bytes = disk.readWhole(this.#path);
    const found = bytes === undefined ? [] : decodeCheckpoint(bytes) ?? [];
    for (const { topic, partition, offset } of found) {
      this.#entries.set(nameOf(topic, partition), {
        topic,
        partition,
        topicId: undefined,
        offset: toOffset(offset),
      });
    }
  }

  get(key: CheckpointKey): Offset | undefined {
    const entry = this.#entries.get(nameOf(key.topic, key.partitionId));
    if (entry === undefined) return undefined;
    entry.topicId ??= key.topicId;
    return entry.topicId === key.topicId ? entry.offset : undefined;
  }

  set(key: CheckpointKey, offset: Offset): void {
    const { topic, topicId, partitionId } = key;
    const entry = { topic, partition: partitionId, topicId, offset };
    this.#entries.set(nameOf(topic, partitionId), entry);
    this.#isChanged = true;
  }

  /** Forgets the logs that are not among these. */
  keepOnly(keys: readonly CheckpointKey[]): void {
    const ids = new Map(keys.map((key) => [nameOf(key.topic, key.partitionId), key.topicId]));
    for (const [name, entry] of this.#entries) {
      const topicId = ids.get(name);
      if (topicId !== undefined && (entry.topicId ?? topicId) === topicId) continue;
      this.#entries.delete(name);
      this.#isChanged = true;
    }
  }

  /** Writes it down, durably, where anything has changed. */
  async write(): Promise<void> {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    try {
      await writeAtomically(this.#disk, this.#path, encodeCheckpoint(this.#entries.values()));
    } catch (fault) {
      this.#isChanged = true;
      throw fault;
    }
  }
}

function nameOf(topic: string, partition: number): string {
  return `${topic}-${partition}`;
}
