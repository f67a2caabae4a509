/**
 * How far each image of the cluster has been replayed, and what was decided: which record stands at which
 * offset, and what became of every topic. A node's applied offset follows only when all who listen have
 * been told; the image is ahead of it meanwhile.
 */
import { ClusterImage } from "../../src/metadata/image.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";

export class ImagePositions {
  readonly #nextOffsets = new WeakMap<ClusterImage, number>();
  /** By offset: what was replayed first. */
  readonly #records = new Map<number, string>();
  /** Topics that were ever decided, by name. */
  readonly created = new Set<string>();
  /** Topics that were definitely refused. */
  readonly refused = new Set<string>();
  /** The record at some offset is not the same everywhere, or should not be at all. */
  onBroken: (what: string, message: string) => void = () => undefined;

  /** The offset behind the last record in it. */
  of(image: ClusterImage): number {
    return this.#nextOffsets.get(image) ?? 0;
  }

  /** A client was told for certain that the topic was not created. */
  refuse(name: string): void {
    this.refused.add(name);
    if (this.created.has(name)) this.#onFalse(name);
  }

  /** A client was told that the topic is there. */
  confirm(name: string): void {
    if (this.created.has(name)) return;
    this.onBroken("a definite answer is true", `${name} was created, and nobody has it decided`);
  }

  /**
   * Until the function that it gives back is called. A program whose life ended in the middle of this very
   * event may go on and replay what its disk does not have: nobody ever sees that.
   */
  watch(isAlive: () => boolean): () => void {
    const { prototype } = ClusterImage;
    const { replay, replaceWith } = prototype;
    const positions = this.#nextOffsets;
    let isSnapshot = false;
    const onReplayed = (offset: number, record: MetadataRecord): void => {
      if (!isSnapshot && isAlive()) this.#note(offset, record);
    };
    const mustNotGoBack = (image: ClusterImage, offset: number): void => {
      const position = positions.get(image) ?? 0;
      if (isSnapshot || offset >= position || !isAlive()) return;
      this.onBroken("an image never goes back", `from ${position} to ${offset}`);
    };
    prototype.replay = function (this: ClusterImage, offset, record): void {
      mustNotGoBack(this, offset);
      replay.call(this, offset, record);
      positions.set(this, offset + 1);
      onReplayed(offset, record);
    };
    prototype.replaceWith = function (this: ClusterImage, records, offset): void {
      mustNotGoBack(this, offset);
      isSnapshot = true;
      try {
        replaceWith.call(this, records, offset);
      } finally {
        isSnapshot = false;
      }
      positions.set(this, offset);
    };
    return () => Object.assign(prototype, { replay, replaceWith });
  }

  #note(offset: number, record: MetadataRecord): void {
    const text = JSON.stringify(record);
    const before = this.#records.get(offset);
    if (before === undefined) {
      this.#records.set(offset, text);
      if (record.kind === "topic") {
        this.created.add(record.name);
        if (this.refused.has(record.name)) this.#onFalse(record.name);
      }
    } else if (before !== text) {
      this.onBroken("one record at an offset", `${offset}: ${before}\nand ${text}`);
    }
  }

  #onFalse(name: string): void {
    this.onBroken("a definite answer is true", `${name} was refused, and is decided all the same`);
  }
}
