/**
 * Tells which topics have gone, come or changed, by name: a record that removes one knows its id only,
 * and the image has forgotten it by then.
 */
import type { Uuid } from "../../ground/uuid.ts";
import type { MetadataRecord } from "../../metadata/record.ts";
import type { MetadataView } from "../quorum/metadata_view.ts";
import type { TopicsChange } from "./shard_machine.ts";

/** So long a batch may take that is carried out on a slow disk; then what is known is told. */
const BATCH_MS = 10_000;

export class TopicWatch {
  readonly #view: MetadataView;
  readonly #onChange: (change: TopicsChange) => void;
  readonly #names = new Map<Uuid, string>();
  #removed: TopicsChange["removed"][number][] = [];
  #changed = new Set<string>();
  #isTelling = false;

  constructor(view: MetadataView, onChange: (change: TopicsChange) => void) {
    this.#view = view;
    this.#onChange = onChange;
    for (const { topicId, name } of view.image.topics()) this.#names.set(topicId, name);
  }

  onReplayed(record: MetadataRecord): void {
    switch (record.kind) {
      case "topic":
        this.#names.set(record.topicId, record.name);
        return this.#change(record.name);
      case "partition": {
        const name = this.#names.get(record.topicId);
        return name === undefined ? undefined : this.#change(name);
      }
      case "remove-topic":
        return this.#remove(record.topicId);
      default:
        return;
    }
  }

  /** The image is another one: what is no more in it has gone. */
  onReplaced(): void {
    const { image } = this.#view;
    for (const topicId of [...this.#names.keys()]) {
      if (image.topicById(topicId) === undefined) this.#remove(topicId);
    }
    for (const { topicId, name } of image.topics()) {
      this.#names.set(topicId, name);
      this.#change(name);
    }
  }

  #remove(topicId: Uuid): void {
    const name = this.#names.get(topicId);
    if (name === undefined) return;
    this.#names.delete(topicId);
    this.#removed.push({ name, topicId });
    this.#tellSoon();
  }

  #change(name: string): void {
    this.#changed.add(name);
    this.#tellSoon();
  }

  /**
   * Once for all records of a batch: they are told one by one, some of them much later than others, and
   * a topic has a thousand partitions.
   */
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const { image } = this.#view;
    void this.#view.whenApplied(image.nextOffset, BATCH_MS).then(() => {
      this.#isTelling = false;
      const change = { removed: this.#removed, changed: [...this.#changed] };
      this.#removed = [];
      this.#changed = new Set();
      this.#onChange(change);
    });
  }
}
