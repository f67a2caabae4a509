/**
 * How far each image of the cluster has been replayed. A node's applied offset follows only when all who
 * listen have been told; the image is ahead of it meanwhile.
 */
import { ClusterImage } from "../../src/metadata/image.ts";

export class ImagePositions {
  readonly #nextOffsets = new WeakMap<ClusterImage, number>();

  /** The offset behind the last record in it. */
  of(image: ClusterImage): number {
    return this.#nextOffsets.get(image) ?? 0;
  }

  /** Until the function that it gives back is called. */
  watch(): () => void {
    const { prototype } = ClusterImage;
    const { replay, replaceWith } = prototype;
    const positions = this.#nextOffsets;
    prototype.replay = function (this: ClusterImage, offset, record): void {
      replay.call(this, offset, record);
      positions.set(this, offset + 1);
    };
    prototype.replaceWith = function (this: ClusterImage, records, offset): void {
      replaceWith.call(this, records, offset);
      positions.set(this, offset);
    };
    return () => Object.assign(prototype, { replay, replaceWith });
  }
}
