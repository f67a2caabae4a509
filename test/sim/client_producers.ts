/** The producers of one client, made when they are first used, and what they have sent. */
import type { Client } from "../../src/client/client.ts";
import type { Producer } from "../../src/client/producer.ts";
import type { ProducerOptions } from "../../src/client/producer_options.ts";
import type { Prng } from "../../src/ground/prng.ts";

export const PRODUCER_KINDS = ["idempotent", "all", "one", "none"] as const;
export type ProducerKind = (typeof PRODUCER_KINDS)[number];

const OPTIONS: Readonly<Record<ProducerKind, ProducerOptions>> = {
  idempotent: { acks: "all" },
  all: { acks: "all", idempotent: false },
  one: { acks: 1 },
  none: { acks: 0 },
};
/** Not those whose bytes depend on the library that a runtime has. */
const COMPRESSIONS = ["none", "none", "snappy"] as const;
const DELIVERY_TIMEOUT_MS = 15_000;

export class ClientProducers {
  readonly #client: Client;
  readonly #tag: string;
  readonly #chance: Prng;
  readonly #producers = new Map<ProducerKind, Producer>();
  #sentCount = 0;

  constructor(client: Client, tag: string, chance: Prng) {
    this.#client = client;
    this.#tag = tag;
    this.#chance = chance;
  }

  of(kind: ProducerKind): { readonly producer: Producer; readonly tag: string } {
    let producer = this.#producers.get(kind);
    if (producer === undefined) {
      producer = this.#client.producer({
        ...OPTIONS[kind],
        lingerMs: this.#chance.below(3) * 5,
        compressionType: COMPRESSIONS[this.#chance.below(COMPRESSIONS.length)] ?? "none",
        deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
        mayCreateTopics: false,
        batchBytes: 200 + this.#chance.below(4000),
      });
      this.#producers.set(kind, producer);
    }
    return { producer, tag: `${this.#tag}.${kind}` };
  }

  nextNumber(): number {
    return this.#sentCount++;
  }
}
