/**
 * Puts dead letters back, each once, however often it is begun anew.
 *
 *   1. Where the target partitions end is committed beside the offset of the first letter of a chunk.
 *   2. The letters of the chunk are sent; each carries an id, "jobs.dlq-0-17".
 *   3. The offset behind the chunk is committed, without ends.
 *
 * Who is killed between 1 and 3 leaves the ends behind: the next run reads the targets from there on,
 * and what has arrived is not sent again. That no two are at it is `redrive_claim.ts`.
 */
import type { Context } from "./context.ts";
import { originOf, redriven, replaysOf } from "./dead_letter.ts";
import { Failure, failureOf } from "./failure.ts";
import { type BoxPartition, letters } from "./letter_box.ts";
import type { KeptRecord } from "./record_command.ts";
import { markOf, RedriveClaim } from "./redrive_claim.ts";
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
  readonly from: number;
  /** What an earlier run left behind for letters of this chunk, or later ones. */
  readonly carried: Ends;
  readonly sendings: Sending[];
  bytes: number;
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

  async #runPartition({ partition, next, end, commit }: BoxPartition): Promise<void> {
    const { client, context: { lifeline }, topic, isDryRun } = this.#options;
    const left = markOf(commit);
    if (lifeline.signal.aborted || (next >= end && left?.run === undefined)) return;
    const ends = left?.ends ?? NO_ENDS;
    const present = await this.#targets.arrivedIds(`${topic}-${partition}-`, ends);
    const lastPresent = Math.max(-1, ...[...present].map((id) => Number(id.split("-").at(-1))));
    const chunkFrom = (from: number): Chunk => ({
      from,
      carried: from <= lastPresent ? ends : NO_ENDS,
      sendings: [],
      bytes: 0,
    });
    let chunk = chunkFrom(next);
    if (!isDryRun) await this.#claim.hold({ partition, offset: next, ends: chunk.carried });
    let until = end;
    // No signal cuts this: the chunk that was begun is finished.
    for await (const letter of letters(client, { topic, partition, from: next, until: end })) {
      if (lifeline.signal.aborted) {
        until = letter.offset;
        break;
      }
      await this.#take(letter, chunk, present);
      if (chunk.sendings.length < CHUNK_LETTERS && chunk.bytes < CHUNK_BYTES) continue;
      await this.#sendChunk(chunk, partition, letter.offset + 1);
      chunk = chunkFrom(letter.offset + 1);
    }
    await this.#sendChunk(chunk, partition, until);
    if (!isDryRun) await this.#claim.finish(partition, until);
  }

  async #take(letter: KeptRecord, chunk: Chunk, present: ReadonlySet<string>): Promise<void> {
    const { topic, to } = this.#options;
    const id = `${topic}-${letter.partition}-${letter.offset}`;
    if (present.has(id)) {
      this.#summary.alreadyThere++;
      return;
    }
    const origin = originOf(letter.headers);
    const target = to ?? origin?.topic ?? "";
    const reason = this.#reasonAgainst(letter, target);
    if (reason !== undefined) return this.#refuse(letter, reason);
    const count = await this.#targets.partitionCount(target);
    if (count === undefined) {
      return this.#refuse(letter, `there is no topic ${target}; --to TOPIC sends it elsewhere`);
    }
    const isKept = origin !== undefined && origin.partition >= 0 && origin.partition < count;
    const edited = await this.#edited(letter, chunk);
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

  #refuse({ partition, offset }: KeptRecord, reason: string): void {
    this.#summary.refused.push({ partition, offset, reason });
  }

  async #sendChunk(chunk: Chunk, partition: number, until: number): Promise<void> {
    const { isDryRun, topic } = this.#options;
    const { from, sendings, carried } = chunk;
    const producer = this.#producer;
    if (!isDryRun && producer !== undefined && sendings.length > 0) {
      await this.#claim.rejectOther(partition);
      const ends = lowerEnds(await this.#targets.endsOf(sendings), carried);
      await this.#claim.hold({ partition, offset: from, ends });
      const sent = await Promise.allSettled(
        sendings.map(({ letter, id, target, ...place }) =>
          producer.send(target, { ...redriven(letter, id), partition: place.partition })
        ),
      );
      const failed = sent.find((one) => one.status === "rejected");
      if (failed !== undefined) throw undelivered(topic, failed.reason);
      await this.#claim.hold({ partition, offset: until, ends: NO_ENDS });
    }
    this.#summary.moved += sendings.length;
  }

  async #edited(letter: KeptRecord, chunk: Chunk): Promise<KeptRecord> {
    const { context: { io }, edit, isDryRun } = this.#options;
    if (edit === undefined || isDryRun) return letter;
    const place = { partition: letter.partition, offset: chunk.from, ends: chunk.carried };
    return await this.#claim.renewing(editedLetter(io, edit, letter), place);
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
