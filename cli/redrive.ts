/**
 * Puts dead letters back, each once, however often it is begun anew.
 *
 *   1. Where the target partitions end is committed beside the offset of the first letter of a chunk.
 *   2. The letters of the chunk are sent; each carries an id, "jobs.dlq-0-17".
 *   3. The offset behind the chunk is committed, without ends.
 *
 * A letter that cannot be put back is left: its offset is remembered beside the one that is committed,
 * and every run tries it again before it goes on.
 *
 * Who is killed between 1 and 3 leaves the ends behind: the next run reads the targets from there on,
 * and what has arrived is not sent again. That no two are at it is `redrive_claim.ts`.
 */
import type { Context } from "./context.ts";
import { originOf, redriven, replaysOf } from "./dead_letter.ts";
import { Failure, failureOf } from "./failure.ts";
import { type BoxPartition, leftLetters, letters } from "./letter_box.ts";
import type { KeptRecord } from "./record_command.ts";
import { markOf, type Place, RedriveClaim } from "./redrive_claim.ts";
import { editedLetter } from "./redrive_edit.ts";
import { type Ends, lowerEnds, NO_ENDS } from "./redrive_mark.ts";
import { RedriveTargets, type TargetPlace } from "./redrive_targets.ts";
import type { Client } from "./session.ts";

export interface RedriveOptions {
  readonly context: Context;
  readonly client: Client;
  readonly topic: string;
  /** Undefined = where each came from. */
  readonly to: string | undefined;
  /** Makes the new value of each. */
  readonly edit: string | undefined;
  readonly maxReplays: number;
  /** Nothing is sent and nothing committed. */
  readonly isDryRun: boolean;
}

export interface RedriveSummary {
  /** Sent, or that would be. */
  moved: number;
  /** Those that a run that was killed had sent. */
  alreadyThere: number;
  readonly refused: Refusal[];
}

export interface Refusal {
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
}

/** A letter on its way. */
interface Sending extends TargetPlace {
  readonly letter: KeptRecord;
  readonly id: string;
}

interface Chunk {
  readonly sendings: Sending[];
  /** Offsets of letters that need not stay when the chunk has arrived. */
  readonly through: number[];
  /** How far the partition is then. */
  until: number;
  bytes: number;
}

function newChunk(until: number): Chunk {
  return { sendings: [], through: [], until, bytes: 0 };
}

interface PartitionStart {
  readonly partition: number;
  readonly next: number;
  readonly left: readonly number[];
  /** What an earlier run left behind, and the letters that had arrived behind it. */
  readonly ends: Ends;
  readonly present: ReadonlySet<string>;
}

/** How far a run is with one partition: first the letters that were left, then those not seen yet. */
class PartitionRun {
  readonly partition: number;
  readonly present: ReadonlySet<string>;
  readonly left: Set<number>;
  readonly #ends: Ends;
  readonly #lastPresent: number;
  offset: number;
  isAgain = true;

  constructor({ partition, next, left, ends, present }: PartitionStart) {
    this.partition = partition;
    this.offset = next;
    this.left = new Set(left);
    this.present = present;
    this.#ends = ends;
    this.#lastPresent = Math.max(-1, ...[...present].map((id) => Number(id.split("-").at(-1))));
  }

  /** What is committed; the ends of the run before as long as letters of it may come. */
  place(): Place {
    const isCarried = this.isAgain || this.offset <= this.#lastPresent;
    return {
      partition: this.partition,
      offset: this.offset,
      left: [...this.left].sort((one, other) => one - other),
      ends: isCarried ? this.#ends : NO_ENDS,
    };
  }
}

const CHUNK_LETTERS = 100;
const CHUNK_BYTES = 1024 * 1024;

export class Redrive {
  readonly #options: RedriveOptions;
  readonly #claim: RedriveClaim;
  readonly #targets: RedriveTargets;
  readonly #summary: RedriveSummary = { moved: 0, alreadyThere: 0, refused: [] };
  #producer: ReturnType<Client["producer"]> | undefined;

  constructor(options: RedriveOptions) {
    const { context, client, topic } = options;
    this.#options = options;
    this.#claim = new RedriveClaim(context, client, topic);
    this.#targets = new RedriveTargets(client);
  }

  /** Ends early, between two letters, when a signal comes. Throws a failure; what was sent is marked. */
  async run(box: readonly BoxPartition[]): Promise<RedriveSummary> {
    const { client, isDryRun, to } = this.#options;
    if (to !== undefined && await this.#targets.partitionCount(to) === undefined) {
      throw missingTarget(to);
    }
    const open = isDryRun ? box : await this.#claim.alone(box);
    if (!isDryRun) this.#producer = client.producer({ lingerMs: 0, mayCreateTopics: false });
    try {
      // deno-lint-ignore no-await-in-loop -- one partition after the other
      for (const partition of open) await this.#runPartition(partition);
    } catch (error) {
      await this.#claim.release();
      throw error;
    } finally {
      await this.#producer?.[Symbol.asyncDispose]();
    }
    return this.#summary;
  }

  async #runPartition({ partition, next, end, left, commit }: BoxPartition): Promise<void> {
    const { client, context: { lifeline }, topic, isDryRun } = this.#options;
    const mark = markOf(commit);
    const isDone = next >= end && left.length === 0 && mark?.run === undefined;
    if (lifeline.signal.aborted || isDone) return;
    const ends = mark?.ends ?? NO_ENDS;
    const present = await this.#targets.arrivedIds(`${topic}-${partition}-`, ends);
    const run = new PartitionRun({ partition, next, left, ends, present });
    if (!isDryRun) await this.#claim.hold(run.place());
    const again = leftLetters(client, topic, { partition, left });
    let isThrough = await this.#runLetters(run, again, () => next);
    run.isAgain = false;
    if (isThrough) {
      const rest = letters(client, { topic, partition, from: next, until: end });
      isThrough = await this.#runLetters(run, rest, ({ offset }) => offset + 1);
    }
    if (isThrough) run.offset = end;
    if (!isDryRun) await this.#claim.finish(run.place());
  }

  /**
   * Chunk by chunk; `behind` is how far the partition is with a letter. False where a signal came: it
   * cuts no chunk that was begun.
   */
  async #runLetters(
    run: PartitionRun,
    source: AsyncIterable<KeptRecord>,
    behind: (letter: KeptRecord) => number,
  ): Promise<boolean> {
    const { lifeline } = this.#options.context;
    let chunk = newChunk(run.offset);
    for await (const letter of source) {
      if (lifeline.signal.aborted) break;
      await this.#take(letter, run, chunk);
      chunk.until = behind(letter);
      if (chunk.sendings.length < CHUNK_LETTERS && chunk.bytes < CHUNK_BYTES) continue;
      await this.#sendChunk(run, chunk);
      chunk = newChunk(run.offset);
    }
    await this.#sendChunk(run, chunk);
    return !lifeline.signal.aborted;
  }

  async #take(letter: KeptRecord, run: PartitionRun, chunk: Chunk): Promise<void> {
    const { topic, to } = this.#options;
    const id = `${topic}-${letter.partition}-${letter.offset}`;
    if (run.present.has(id)) {
      this.#summary.alreadyThere++;
      chunk.through.push(letter.offset);
      return;
    }
    const origin = originOf(letter.headers);
    const target = to ?? origin?.topic ?? "";
    const reason = this.#reasonAgainst(letter, target);
    if (reason !== undefined) return this.#refuse(run, letter, reason);
    const count = await this.#targets.partitionCount(target);
    if (count === undefined) {
      return this.#refuse(
        run,
        letter,
        `there is no topic ${target}; --to TOPIC sends it elsewhere`,
      );
    }
    const isKept = origin !== undefined && origin.partition >= 0 && origin.partition < count;
    const edited = await this.#edited(letter, run);
    chunk.through.push(letter.offset);
    chunk.sendings.push({
      letter: edited,
      id,
      target,
      partition: isKept ? origin.partition : undefined,
    });
    chunk.bytes += (edited.key?.length ?? 0) + (edited.value?.length ?? 0);
  }

  /** Why it stays; undefined where it may go. */
  #reasonAgainst({ headers }: KeptRecord, target: string): string | undefined {
    const { topic, maxReplays } = this.#options;
    const replays = replaysOf(headers);
    if (target === "") return "it does not say where it came from; --to TOPIC sends it there";
    if (target === topic) return "it would go where it is";
    if (replays < maxReplays) return undefined;
    return `it was put back ${replays} time${replays === 1 ? "" : "s"} already (--max-replays)`;
  }

  /** It stays, and the next run tries it again. */
  #refuse(run: PartitionRun, { partition, offset }: KeptRecord, reason: string): void {
    run.left.add(offset);
    this.#summary.refused.push({ partition, offset, reason });
  }

  async #sendChunk(run: PartitionRun, chunk: Chunk): Promise<void> {
    const { isDryRun, topic } = this.#options;
    const { sendings, through, until } = chunk;
    const producer = this.#producer;
    const isSent = !isDryRun && producer !== undefined && sendings.length > 0;
    if (isSent) {
      await this.#claim.rejectOther(run.partition);
      const place = run.place();
      const ends = lowerEnds(await this.#targets.endsOf(sendings), place.ends);
      await this.#claim.hold({ ...place, ends });
      const sent = await Promise.allSettled(
        sendings.map(({ letter, id, target, ...place }) =>
          producer.send(target, { ...redriven(letter, id), partition: place.partition })
        ),
      );
      const failed = sent.find((one) => one.status === "rejected");
      if (failed !== undefined) throw undelivered(topic, failed.reason);
    }
    for (const offset of through) run.left.delete(offset);
    run.offset = until;
    if (isSent) await this.#claim.hold(run.place());
    this.#summary.moved += sendings.length;
  }

  async #edited(letter: KeptRecord, run: PartitionRun): Promise<KeptRecord> {
    const { context: { io }, edit, isDryRun } = this.#options;
    if (edit === undefined || isDryRun) return letter;
    return await this.#claim.renewing(editedLetter(io, edit, letter), run.place());
  }
}

function missingTarget(topic: string): Failure {
  return new Failure(
    "UNKNOWN_TOPIC_OR_PARTITION",
    `Cannot put letters back: there is no topic ${topic}`,
    { hint: `Create it (mq topic create ${topic}), or send them elsewhere with --to` },
  );
}

function undelivered(topic: string, reason: unknown): Failure {
  const failure = failureOf(reason);
  return new Failure(failure.code, `Cannot put letters of ${topic} back: ${failure.message}`, {
    hint: failure.hint ?? "Begin again: what has arrived is not sent again",
    retriable: failure.retriable,
    cause: reason,
  });
}
