/**
 * Which records have reached the reader of stdout, so that no more than those are committed.
 *
 * What was read lies in the output buffer for a while. A mark remembers where in the stream of bytes a
 * record ends; when the system has taken the bytes up to there, everything of its partition below the
 * mark has been delivered.
 */
import type { OutputBuffer } from "./output_buffer.ts";

/** Everything of the partition below `nextOffset` has been delivered. */
export type OnDelivered = (topic: string, partition: number, nextOffset: number) => void;

type Counters = Pick<OutputBuffer, "bytesPut" | "bytesWritten">;

interface Mark {
  readonly bytesAt: number;
  readonly topic: string;
  readonly partition: number;
  readonly nextOffset: number;
}

export class Deliveries {
  readonly #out: Counters;
  readonly #onDelivered: OnDelivered;
  /** In the order of their bytes; at most one for each batch in the two output buffers. */
  #marks: Mark[] = [];
  #waiting: { readonly bytesAt: number; resolve(): void }[] = [];

  constructor(out: Counters, onDelivered: OnDelivered) {
    this.#out = out;
    this.#onDelivered = onDelivered;
  }

  /** The records below `nextOffset` were put into the buffer. */
  mark(topic: string, partition: number, nextOffset: number): void {
    this.#marks.push({ bytesAt: this.#out.bytesPut, topic, partition, nextOffset });
    this.onWritten();
  }

  /** To be called when the system has taken more bytes. */
  onWritten(): void {
    const { bytesWritten } = this.#out;
    const isOpen = ({ bytesAt }: { readonly bytesAt: number }): boolean => bytesAt > bytesWritten;
    const open = this.#marks.findIndex(isOpen);
    const done = this.#marks.splice(0, open < 0 ? this.#marks.length : open);
    for (const { topic, partition, nextOffset } of done) {
      this.#onDelivered(topic, partition, nextOffset);
    }
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(isOpen);
    for (const one of waiting) if (!isOpen(one)) one.resolve();
  }

  /** Resolves when all that has been put so far is out. Never where the stream has failed. */
  async settled(): Promise<void> {
    const bytesAt = this.#out.bytesPut;
    if (bytesAt <= this.#out.bytesWritten) return;
    await new Promise<void>((resolve) => void this.#waiting.push({ bytesAt, resolve }));
  }
}
