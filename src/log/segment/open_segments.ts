/**
 * Which segments have a file handle and their indexes in memory: the ones used last.
 *
 * One for all logs of a process, so that ten thousand partitions need no ten thousand handles.
 */
import { assert } from "../../ground/assert.ts";

/** What can be closed and opens itself again when it is used. */
export interface Closable {
  closeFiles(): void;
}

export class OpenSegments {
  readonly #countMax: number;
  /** In order of use, the oldest first. */
  readonly #open = new Set<Closable>();
  #newest: Closable | undefined;

  constructor(options: { readonly countMax: number }) {
    assert(options.countMax >= 1, "at least one segment may be open");
    this.#countMax = options.countMax;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Notes that a segment is open and used now; may close another. */
  touch(segment: Closable): void {
    if (segment === this.#newest) return;
    this.#open.delete(segment);
    this.#open.add(segment);
    this.#newest = segment;
    if (this.#open.size <= this.#countMax) return;
    for (const oldest of this.#open) {
      this.forget(oldest);
      oldest.closeFiles();
      return;
    }
  }

  /** Notes that a segment is no longer open. */
  forget(segment: Closable): void {
    this.#open.delete(segment);
    if (this.#newest === segment) this.#newest = undefined;
  }
}
