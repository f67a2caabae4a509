/**
 * What lies behind committed offsets in partitions that other brokers lead: asked of them when somebody
 * looks at metrics, and never otherwise.
 *
 * Who looks waits for it no longer than `WAIT_MS`; what comes later is there for the next look, and
 * what a broker has told last counts for a minute. A broker that does not answer is left in peace for
 * half a minute.
 */
import {
  type CommittedPlace,
  UNREAD_PLACES_MAX,
  type UnreadEnd,
  type UnreadOffsetsRequest,
  type UnreadOffsetsResponse,
} from "../../api/own/unread_offsets.ts";
import type { Clock } from "../../env/clock.ts";
import { PeerFault } from "../../env/network.ts";

/** A committed offset, and who leads its partition. */
export interface RemotePlace extends CommittedPlace {
  readonly leader: number;
}

export interface RemoteEndsOptions {
  readonly clock: Clock;
  /** Rejects with a `PeerFault`. */
  ask(nodeId: number, request: UnreadOffsetsRequest): Promise<UnreadOffsetsResponse>;
}

interface Told {
  readonly atMs: number;
  /** By topic, partition and offset. */
  readonly ends: ReadonlyMap<string, UnreadEnd>;
}

const WAIT_MS = 200;
const KNOWN_MS = 60_000;
const AGAIN_MS = 30_000;

export class RemoteEnds {
  readonly #options: RemoteEndsOptions;
  readonly #told = new Map<number, Told>();
  readonly #asking = new Map<number, Promise<void>>();
  readonly #notBefore = new Map<number, number>();

  constructor(options: RemoteEndsOptions) {
    this.#options = options;
  }

  /** Undefined where it is not known, or not any more. */
  get(place: RemotePlace): UnreadEnd | undefined {
    const told = this.#told.get(place.leader);
    if (told === undefined) return undefined;
    if (this.#options.clock.monotonicMs() - told.atMs > KNOWN_MS) return undefined;
    const end = told.ends.get(keyOf(place));
    return end === undefined || end.highWatermark < 0 ? undefined : end;
  }

  /** Asks about all of them; what is not there after a moment comes for the next look. */
  async look(places: readonly RemotePlace[]): Promise<void> {
    const byLeader = Map.groupBy(places, ({ leader }) => leader);
    for (const nodeId of this.#told.keys()) if (!byLeader.has(nodeId)) this.#told.delete(nodeId);
    const asked = [...byLeader].map(([nodeId, its]) => this.#ask(nodeId, its));
    await within(this.#options.clock, Promise.all(asked));
  }

  #ask(nodeId: number, places: readonly CommittedPlace[]): Promise<void> {
    const asking = this.#asking.get(nodeId);
    if (asking !== undefined) return asking;
    const { clock } = this.#options;
    if (clock.monotonicMs() < (this.#notBefore.get(nodeId) ?? -Infinity)) return Promise.resolve();
    const asked = this.#hear(nodeId, places).catch((error: unknown) => {
      if (!(error instanceof PeerFault)) throw error;
      this.#notBefore.set(nodeId, clock.monotonicMs() + AGAIN_MS);
    }).finally(() => this.#asking.delete(nodeId));
    this.#asking.set(nodeId, asked);
    return asked;
  }

  async #hear(nodeId: number, all: readonly CommittedPlace[]): Promise<void> {
    const byKey = new Map(all.map((place) => [keyOf(place), place]));
    const keys = [...byKey.keys()].slice(0, UNREAD_PLACES_MAX);
    const places = keys.map((key) => {
      const { topicId, partitionId, offset } = byKey.get(key) as CommittedPlace;
      return { topicId, partitionId, offset: Math.max(offset, 0) };
    });
    const { ends } = await this.#options.ask(nodeId, { places });
    const atMs = this.#options.clock.monotonicMs();
    this.#told.set(nodeId, { atMs, ends: new Map(ends.map((end, at) => [keys[at] ?? "", end])) });
  }
}

function keyOf({ topicId, partitionId, offset }: CommittedPlace): string {
  return `${topicId} ${partitionId} ${offset}`;
}

/** Resolves when `work` is done, or a moment has passed. */
function within(clock: Clock, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(WAIT_MS, resolve);
    work.finally(() => timer.cancel()).then(() => resolve(), reject);
  });
}
