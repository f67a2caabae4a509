/**
 * Who is at work on a dead-letter topic, and how far: what is committed of the group `mq-redrive.TOPIC`,
 * with a mark beside the offset (`redrive_mark.ts`).
 *
 * Two at a time would both send, so who finds the mark of another run waits for some seconds whether
 * it moves; a run that lives moves its mark more often than that.
 */
import type { Context } from "./context.ts";
import { Failure, failureOf } from "./failure.ts";
import { type BoxPartition, openBox, redriveGroup } from "./letter_box.ts";
import { pause } from "./pause.ts";
import {
  type Ends,
  formatMark,
  MARK_BYTES_MAX,
  NO_ENDS,
  parseMark,
  type RedriveMark,
} from "./redrive_mark.ts";
import type { Client } from "./session.ts";

/** What is committed of a partition. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
  /** Letters before it that stay, ascending. */
  readonly left: readonly number[];
  /** Where the targets ended before letters went on their way. */
  readonly ends: Ends;
}

const TAKE_OVER_MS = 6000;
const RENEW_MS = 1500;
const LOOK_MS = 500;

export class RedriveClaim {
  readonly #context: Context;
  readonly #client: Client;
  readonly #topic: string;
  readonly #run: string;
  #last: Place | undefined;
  #renewedAt = 0;

  constructor(context: Context, client: Client, topic: string) {
    const { io } = context;
    this.#context = context;
    this.#client = client;
    this.#topic = topic;
    this.#run = `${io.pid}.${io.now()}`;
  }

  /** Waits until nobody else is at work; none where a signal came. Throws where somebody is. */
  async alone(box: readonly BoxPartition[]): Promise<readonly BoxPartition[]> {
    const { io, lifeline, printer } = this.#context;
    const marks = (partitions: readonly BoxPartition[]): string =>
      partitions.map(({ commit }) => `${commit?.offset} ${commit?.metadata}`).join();
    const isOpen = box.some(({ commit }) => markOf(commit)?.run !== undefined);
    if (!isOpen) return box;
    printer.remark("another redrive has not come to its end; looking whether it goes on");
    let seen = box;
    for (let waitedMs = 0; waitedMs < TAKE_OVER_MS; waitedMs += LOOK_MS) {
      await pause(io, LOOK_MS, lifeline.signal);
      if (lifeline.signal.aborted) return [];
      seen = await openBox(this.#client, this.#topic);
      if (marks(seen) === marks(box)) continue;
      throw this.#inUse();
    }
    return seen;
  }

  /** Moves the mark: this run is at work from there on. */
  async hold(place: Place): Promise<void> {
    await this.#commit(place, this.#run);
  }

  /** This partition is through. */
  async finish(place: Omit<Place, "ends">): Promise<void> {
    await this.#commit({ ...place, ends: NO_ENDS }, undefined);
    this.#last = undefined;
  }

  /** Leaves what the next run has to know, but nobody at work. */
  async release(): Promise<void> {
    const last = this.#last;
    this.#last = undefined;
    // Where this fails too, the next run finds out by waiting.
    if (last !== undefined) await this.#commit(last, undefined).catch(() => undefined);
  }

  /** Two that began in the same moment both marked it; the one whose mark is gone gives way. */
  async rejectOther(partition: number): Promise<void> {
    const box = await openBox(this.#client, this.#topic);
    const commit = box.find((one) => one.partition === partition)?.commit;
    if (markOf(commit)?.run === this.#run) return;
    this.#last = undefined; // the mark is somebody else's
    throw this.#inUse();
  }

  /** Others shall see that this run lives while `work` takes its time. */
  async renewing<T>(work: Promise<T>, place: Place): Promise<T> {
    const over = new AbortController();
    const worked = work.finally(() => over.abort());
    worked.catch(() => undefined); // it is waited for below
    for (;;) {
      // deno-lint-ignore no-await-in-loop -- again and again until it is over
      await pause(this.#context.io, RENEW_MS, over.signal);
      if (over.signal.aborted) break;
      await this.#renew(place);
    }
    const worth = await worked;
    // Much work, each piece of which was quick.
    if (this.#context.io.now() - this.#renewedAt > RENEW_MS) await this.#renew(place);
    return worth;
  }

  async #renew(place: Place): Promise<void> {
    // A coordinator that is away takes nobody else's mark either.
    await this.hold(place).catch(() => undefined);
  }

  async #commit(place: Place, run: string | undefined): Promise<void> {
    const { partition, offset, left, ends } = place;
    const { io } = this.#context;
    const topic = this.#topic;
    const metadata = formatMark({ run, at: io.now(), left, ends });
    if (metadata.length > MARK_BYTES_MAX) {
      if (left.length > 0) throw tooManyLeft(topic, partition, left.length);
      throw new Failure("TOO_MANY_PARTITIONS", "Cannot remember where so many partitions end", {
        hint: "--to a topic with fewer partitions; a few hundred can be remembered",
      });
    }
    const [result] = await this.#client.admin.groups.alterGroupOffsets(redriveGroup(topic), [
      { topic, partition, offset, metadata },
    ]);
    if (result?.error !== undefined) throw failureOf(result.error);
    this.#last = place;
    this.#renewedAt = io.now();
  }

  #inUse(): Failure {
    return new Failure("IN_USE", `Another redrive of ${this.#topic} is at work`, {
      hint: `Wait until it has ended; mq group lag ${
        redriveGroup(this.#topic)
      } shows how far it is`,
      retriable: true,
    });
  }
}

function tooManyLeft(topic: string, partition: number, count: number): Failure {
  return new Failure(
    "TOO_MANY_LETTERS",
    `Cannot remember ${count} letters of ${topic}-${partition} that cannot be put back`,
    { hint: "--to TOPIC sends them elsewhere; mq dlq show tells what they are" },
  );
}

/** What a run has left beside the offset. */
export function markOf(commit: BoxPartition["commit"]): RedriveMark | undefined {
  return commit === undefined ? undefined : parseMark(commit.metadata);
}
