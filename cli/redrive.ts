/**
 * Puts dead letters back, each once, however often it is begun anew.
 *
 *   1. Where the target partitions end is committed beside the offset of the first letter of a chunk.
 *   2. The letters of the chunk are sent; each carries an id, "jobs.dlq-0-17".
 *   3. The offset behind the chunk is committed, without ends.
 *
 * Who is killed between 1 and 3 leaves the ends behind: the next run reads the targets from there on,
 * and what has arrived is not sent again. Two at a time would both send, so who finds the mark of
 * another run waits for some seconds whether it moves. Long because this is one promise, told in one
 * piece.
 */
import type { Context } from "./context.ts";
import { headerText, originOf, REDRIVE_ID, redriven, replaysOf } from "./dead_letter.ts";
import { Failure, failureOf } from "./failure.ts";
import { type BoxPartition, letters, openBox, redriveGroup } from "./letter_box.ts";
import { pause } from "./pause.ts";
import { type KeptRecord, RecordCommand } from "./record_command.ts";
import {
  type Ends,
  formatMark,
  lowerEnds,
  MARK_BYTES_MAX,
  parseMark,
  type RedriveMark,
} from "./redrive_mark.ts";
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
interface Sending {
  readonly letter: KeptRecord;
  readonly id: string;
  readonly target: string;
  /** Undefined = as the key says. */
  readonly partition: number | undefined;
}

interface Chunk {
  readonly from: number;
  /** What an earlier run left behind for letters of this chunk, or later ones. */
  readonly carried: Ends;
  readonly sendings: Sending[];
  bytes: number;
}

/** What is committed of a partition. */
interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly ends: Ends;
}

const CHUNK_LETTERS = 100;
const CHUNK_BYTES = 1024 * 1024;
const EDITED_BYTES_MAX = 64 * 1024 * 1024;
/** A run that lives commits more often. */
const TAKE_OVER_MS = 6000;
const RENEW_MS = 1500;
const LOOK_MS = 500;
const NO_ENDS: Ends = new Map();

export class Redrive {
  readonly #options: RedriveOptions;
  readonly #run: string;
  readonly #summary: RedriveSummary = { moved: 0, alreadyThere: 0, refused: [] };
  /** Partitions of each target. */
  readonly #counts = new Map<string, number>();
  #producer: ReturnType<Client["producer"]> | undefined;
  #last: Place | undefined;
  #renewedAt = 0;

  constructor(options: RedriveOptions) {
    const { io } = options.context;
    this.#options = options;
    this.#run = `${io.pid}.${io.now()}`;
  }

  /** Ends early, between two letters, when a signal comes. Throws a failure; what was sent is marked. */
  async run(box: readonly BoxPartition[]): Promise<RedriveSummary> {
    const { client, isDryRun } = this.#options;
    const open = isDryRun ? box : await this.#alone(box);
    if (!isDryRun) this.#producer = client.producer({ lingerMs: 0, mayCreateTopics: false });
    try {
      // deno-lint-ignore no-await-in-loop -- one partition after the other
      for (const partition of open) await this.#runPartition(partition);
    } catch (error) {
      await this.#release();
      throw error;
    } finally {
      await this.#producer?.[Symbol.asyncDispose]();
    }
    return this.#summary;
  }

  /** Leaves what the next run has to know, but nobody at work. */
  async #release(): Promise<void> {
    const last = this.#last;
    this.#last = undefined;
    if (last === undefined) return;
    const { partition, offset, ends } = last;
    // Where this fails too, the next run finds out by waiting.
    await this.#commit(partition, offset, { run: undefined, ends }).catch(() => undefined);
  }

  /** Waits until nobody else is at work. Throws where somebody is. */
  async #alone(box: readonly BoxPartition[]): Promise<readonly BoxPartition[]> {
    const { client, context: { io, lifeline, printer }, topic } = this.#options;
    const marks = (partitions: readonly BoxPartition[]): string =>
      partitions.map(({ commit }) => `${commit?.offset} ${commit?.metadata}`).join();
    const isOpen = box.some(({ commit }) => markOf(commit)?.run !== undefined);
    if (!isOpen) return box;
    printer.remark("another redrive has not come to its end; looking whether it goes on");
    let seen = box;
    for (let waitedMs = 0; waitedMs < TAKE_OVER_MS; waitedMs += LOOK_MS) {
      await pause(io, LOOK_MS, lifeline.signal);
      if (lifeline.signal.aborted) return [];
      seen = await openBox(client, topic);
      if (marks(seen) === marks(box)) continue;
      throw inUse(topic);
    }
    return seen;
  }

  async #runPartition({ partition, next, end, commit }: BoxPartition): Promise<void> {
    const { client, context: { lifeline }, topic, isDryRun } = this.#options;
    const left = markOf(commit);
    if (lifeline.signal.aborted || (next >= end && left?.run === undefined)) return;
    const ends = left?.ends ?? NO_ENDS;
    const present = await this.#presentIds(partition, ends);
    const lastPresent = Math.max(-1, ...[...present].map((id) => Number(id.split("-").at(-1))));
    const chunkFrom = (from: number): Chunk => ({
      from,
      carried: from <= lastPresent ? ends : NO_ENDS,
      sendings: [],
      bytes: 0,
    });
    let chunk = chunkFrom(next);
    if (!isDryRun) await this.#commit(partition, next, { run: this.#run, ends: chunk.carried });
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
    if (!isDryRun) await this.#commit(partition, until, { run: undefined, ends: NO_ENDS });
    this.#last = undefined;
  }

  async #take(letter: KeptRecord, chunk: Chunk, present: ReadonlySet<string>): Promise<void> {
    const { topic, to, maxReplays } = this.#options;
    const id = `${topic}-${letter.partition}-${letter.offset}`;
    if (present.has(id)) {
      this.#summary.alreadyThere++;
      return;
    }
    const origin = originOf(letter.headers);
    const target = to ?? origin?.topic;
    const replays = replaysOf(letter.headers);
    if (target === undefined) {
      return this.#refuse(letter, "it does not say where it came from; --to TOPIC sends it there");
    }
    if (target === topic) return this.#refuse(letter, "it would go where it is");
    if (replays >= maxReplays) {
      const times = `${replays} time${replays === 1 ? "" : "s"}`;
      return this.#refuse(letter, `it was put back ${times} already (--max-replays)`);
    }
    const count = await this.#partitionCount(target);
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

  #refuse({ partition, offset }: KeptRecord, reason: string): void {
    this.#summary.refused.push({ partition, offset, reason });
  }

  async #sendChunk(chunk: Chunk, partition: number, until: number): Promise<void> {
    const { isDryRun, topic } = this.#options;
    const { from, sendings, carried } = chunk;
    const producer = this.#producer;
    if (!isDryRun && producer !== undefined && sendings.length > 0) {
      await this.#rejectOther(partition);
      const ends = lowerEnds(await this.#endsOf(sendings), carried);
      await this.#commit(partition, from, { run: this.#run, ends });
      const sent = await Promise.allSettled(
        sendings.map(({ letter, id, target, ...place }) =>
          producer.send(target, { ...redriven(letter, id), partition: place.partition })
        ),
      );
      const failed = sent.find((one) => one.status === "rejected");
      if (failed !== undefined) throw undelivered(topic, failed.reason);
      await this.#commit(partition, until, { run: this.#run, ends: NO_ENDS });
    }
    this.#summary.moved += sendings.length;
  }

  /** Two that began in the same moment both marked it; the one whose mark is gone gives way. */
  async #rejectOther(partition: number): Promise<void> {
    const { client, topic } = this.#options;
    const box = await openBox(client, topic);
    const commit = box.find((one) => one.partition === partition)?.commit;
    if (markOf(commit)?.run === this.#run) return;
    this.#last = undefined; // the mark is somebody else's
    throw inUse(topic);
  }

  async #commit(
    partition: number,
    offset: number,
    { run, ends }: Pick<RedriveMark, "run" | "ends">,
  ): Promise<void> {
    const { client, context: { io }, topic } = this.#options;
    const metadata = formatMark({ run, at: io.now(), ends });
    if (metadata.length > MARK_BYTES_MAX) {
      throw new Failure("TOO_MANY_PARTITIONS", "Cannot remember where so many partitions end", {
        hint: "--to a topic with fewer partitions; a few hundred can be remembered",
      });
    }
    const [result] = await client.admin.groups.alterGroupOffsets(redriveGroup(topic), [
      { topic, partition, offset, metadata },
    ]);
    if (result?.error !== undefined) throw failureOf(result.error);
    this.#last = { partition, offset, ends };
    this.#renewedAt = io.now();
  }

  /** Others shall see that this run lives while `work` takes its time. */
  async #renewing<T>(work: Promise<T>, place: Place): Promise<T> {
    const over = new AbortController();
    const worked = work.finally(() => over.abort());
    worked.catch(() => undefined); // it is waited for below
    for (;;) {
      // deno-lint-ignore no-await-in-loop -- again and again until it is over
      await pause(this.#options.context.io, RENEW_MS, over.signal);
      if (over.signal.aborted) return await worked;
      await this.#renew(place);
    }
  }

  async #renew({ partition, offset, ends }: Place): Promise<void> {
    // A coordinator that is away takes nobody else's mark either.
    await this.#commit(partition, offset, { run: this.#run, ends }).catch(() => undefined);
  }

  /** Where the partitions end into which letters go. */
  async #endsOf(sendings: readonly Sending[]): Promise<Ends> {
    const { client } = this.#options;
    const targets = [...new Set(sendings.map(({ target }) => target))];
    return new Map(
      await Promise.all(targets.map(async (target) => {
        const wanted = sendings.filter((one) => one.target === target)
          .map(({ partition }) => partition);
        const known = wanted.filter((partition) => partition !== undefined);
        const isAll = known.length < wanted.length;
        const options = isAll ? {} : { partitions: [...new Set(known)] };
        const listed = await client.admin.listOffsets(target, "end", options);
        const failed = listed.find(({ error }) => error !== undefined)?.error;
        if (failed !== undefined) throw failed;
        const ends = listed.map(({ partition, offset }) => [partition, offset] as const);
        return [target, new Map(ends)] as const;
      })),
    );
  }

  /** Ids of letters of this partition that have arrived behind `ends`. */
  async #presentIds(partition: number, ends: Ends): Promise<ReadonlySet<string>> {
    const { client, topic } = this.#options;
    const prefix = `${topic}-${partition}-`;
    const found = new Set<string>();
    for (const [target, froms] of ends) {
      // deno-lint-ignore no-await-in-loop -- one target after the other
      const spans = await spansBehind(client, target, froms);
      for (const span of spans) {
        for await (const record of letters(client, { topic: target, ...span })) {
          const id = headerText(record.headers, REDRIVE_ID);
          if (id?.startsWith(prefix) === true) found.add(id);
        }
      }
    }
    return found;
  }

  async #partitionCount(target: string): Promise<number> {
    const known = this.#counts.get(target);
    if (known !== undefined) return known;
    const [described] = await this.#options.client.admin.describeTopics([target]);
    if (described?.topic === undefined) {
      const { code } = failureOf(described?.error);
      throw new Failure(code, `Cannot put letters back: there is no topic ${target}`, {
        hint: `Create it (mq topic create ${target}), or send them elsewhere with --to`,
      });
    }
    const count = described.topic.partitions.length;
    this.#counts.set(target, count);
    return count;
  }

  async #edited(letter: KeptRecord, chunk: Chunk): Promise<KeptRecord> {
    const { context: { io }, edit, isDryRun } = this.#options;
    if (edit === undefined || isDryRun) return letter;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const command = new RecordCommand({
      io,
      command: edit,
      onOutput: (part) => {
        parts.push(part.slice());
        bytes += part.length;
        if (bytes > EDITED_BYTES_MAX) throw editFailure(letter, "it wrote more than 64 MiB");
      },
    });
    const place = { partition: letter.partition, offset: chunk.from, ends: chunk.carried };
    const end = await this.#renewing(command.run(letter, 1), place);
    if (!end.isDone) throw editFailure(letter, end.error);
    if (io.now() - this.#renewedAt > RENEW_MS) await this.#renew(place);
    return { ...letter, value: editedValue(letter.value, parts, bytes) };
  }
}

function inUse(topic: string): Failure {
  return new Failure("IN_USE", `Another redrive of ${topic} is at work`, {
    hint: `Wait until it has ended; mq group lag ${redriveGroup(topic)} shows how far it is`,
    retriable: true,
  });
}

function markOf(commit: BoxPartition["commit"]): RedriveMark | undefined {
  return commit === undefined ? undefined : parseMark(commit.metadata);
}

async function spansBehind(
  client: Client,
  topic: string,
  froms: ReadonlyMap<number, number>,
): Promise<
  readonly { readonly partition: number; readonly from: number; readonly until: number }[]
> {
  const [described] = await client.admin.describeTopics([topic]);
  if (described?.topic === undefined) return []; // what has gone with it is not there
  const there = new Set(described.topic.partitions.map(({ partition }) => partition));
  const partitions = [...froms.keys()].filter((partition) => there.has(partition));
  const [starts, ends] = await Promise.all([
    client.admin.listOffsets(topic, "start", { partitions }),
    client.admin.listOffsets(topic, "end", { partitions }),
  ]);
  const failed = [...starts, ...ends].find(({ error }) => error !== undefined)?.error;
  if (failed !== undefined) throw failed;
  return partitions.map((partition) => {
    const start = starts.find((one) => one.partition === partition)?.offset ?? 0;
    const until = ends.find((one) => one.partition === partition)?.offset ?? 0;
    return { partition, from: Math.max(froms.get(partition) ?? 0, start), until };
  });
}

/** Editors of text end their last line; a value that had no such end keeps to that. */
function editedValue(
  before: Uint8Array | null,
  parts: readonly Uint8Array[],
  byteLength: number,
): Uint8Array | null {
  if (before === null && byteLength === 0) return null;
  const whole = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const newline = 0x0a;
  const isAdded = whole.at(-1) === newline && before?.at(-1) !== newline;
  return isAdded ? whole.subarray(0, -1) : whole;
}

function editFailure({ topic, partition, offset }: KeptRecord, error: string): Failure {
  const place = `offset ${offset} of ${topic}-${partition}`;
  return new Failure("EXEC_FAILED", `Cannot edit the letter at ${place}: ${error}`, {
    hint: "Mend --edit and begin again: what was put back before is not put back again",
  });
}

function undelivered(topic: string, reason: unknown): Failure {
  const failure = failureOf(reason);
  return new Failure(failure.code, `Cannot put letters of ${topic} back: ${failure.message}`, {
    hint: failure.hint ?? "Begin again: what has arrived is not sent again",
    retriable: failure.retriable,
    cause: reason,
  });
}
