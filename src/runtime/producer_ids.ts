/** Producer ids of this broker: handed out one by one from blocks that the metadata quorum gives. */
import { decideProducerIds, type ProducerIdBlock } from "../metadata/decide/producer_ids.ts";
import type { MetadataQuorum } from "./metadata_quorum.ts";

export class ProducerIds {
  readonly #quorum: MetadataQuorum;
  readonly #brokerId: number;
  #next = 0;
  #end = 0;
  #refill: Promise<void> | undefined;

  constructor(quorum: MetadataQuorum, brokerId: number) {
    this.#quorum = quorum;
    this.#brokerId = brokerId;
  }

  /** An id that nobody else has or ever had. */
  next(): number | Promise<number> {
    if (this.#next < this.#end) return this.#next++;
    this.#refill ??= this.#quorum.propose((image) => decideProducerIds(image, this.#brokerId))
      .then((block) => this.#onBlock(block))
      .finally(() => {
        this.#refill = undefined;
      });
    return this.#refill.then(() => this.next());
  }

  #onBlock({ firstProducerId, count }: ProducerIdBlock): void {
    this.#next = firstProducerId;
    this.#end = firstProducerId + count;
  }
}
