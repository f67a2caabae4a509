/**
 * A conversation about groups with any broker: what is asked, and what was answered, in words that are
 * the same on every run (`plain_answer.ts`).
 *
 * A case (`cases.ts`) says what is asked in which order and over which connections. How it reaches a
 * broker is the `Wire`: sockets to a real Kafka where answers are recorded, the broker in memory and
 * its clock where they are compared.
 */
import type { Api, RequestInput, ResponseOf } from "../../../src/api/schema.ts";
import { ClientError } from "../../../src/client/client_error.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import { type Names, plainAnswer } from "./plain_answer.ts";

export interface Line {
  request<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>>;
  close(): void;
}

export interface Wire {
  dial(): Promise<Line>;
  /** Lets happen what the promise waits for. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Until what was sent has reached the broker, and what needs no time was answered. */
  settle(): Promise<void>;
  pass(ms: number): Promise<void>;
}

/** What came of one request. */
export interface Answer {
  /** "JoinGroup v9" */
  readonly ask: string;
  /** In plain words; a text where there was no answer: "waits", "closed", "none". */
  readonly answer: unknown;
}

export interface Case {
  readonly title: string;
  play(talk: Talk): Promise<unknown>;
}

export function one(title: string, play: (talk: Talk) => Promise<unknown>): Case {
  return { title, play };
}

/** A request that was sent and whose answer is not taken yet. */
export interface Sent<A extends Api> {
  /** Notes whether there is an answer by now, without taking it. */
  glance(): Promise<void>;
  take(): Promise<ResponseOf<A>>;
}

export interface TalkOptions {
  readonly wire: Wire;
  readonly title: string;
  /** The topics that the broker has; see `TOPICS`. */
  readonly topicIds: ReadonlyMap<string, Uuid>;
}

/** Topics of every broker that is asked, with their numbers of partitions. */
export const TOPICS: ReadonlyMap<string, number> = new Map([["t", 2], ["u", 1]]);

export class Talk {
  /** A group of this case alone. */
  readonly group: string;
  readonly answers: Answer[] = [];
  readonly #wire: Wire;
  readonly #names: Names;
  readonly #topicIds: ReadonlyMap<string, Uuid>;
  readonly #lines = new Map<string, Line>();

  constructor({ wire, title, topicIds }: TalkOptions) {
    this.#wire = wire;
    this.#topicIds = topicIds;
    this.group = `g${hashOf(title).toString(16)}`;
    this.#names = { group: this.group, topicIds, ids: new Map() };
  }

  topicId(name: string): Uuid {
    return this.#topicIds.get(name) as Uuid;
  }

  /** Asks over the connection `via`, which is opened where there is none of this name. */
  async ask<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
    via = "first",
  ): Promise<ResponseOf<A>> {
    return await (await this.send(api, version, body, via)).take();
  }

  /** Asks, and goes on when the request has arrived. */
  async send<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
    via = "second",
  ): Promise<Sent<A>> {
    const line = await this.#line(via);
    const ask = `${api.name} v${version}`;
    let isAnswered = false;
    const answered = line.request(api, version, body).finally(() => isAnswered = true);
    answered.catch(() => undefined); // who takes the answer hears of it
    await this.#wire.settle();
    return {
      glance: async () => {
        await this.#wire.settle();
        this.answers.push({ ask, answer: isAnswered ? "is answered" : "waits" });
      },
      take: async () => {
        try {
          const response = await this.#wire.wait(answered);
          this.answers.push({ ask, answer: plainAnswer(response, this.#names) });
          return response;
        } catch (error) {
          const isLate = error instanceof ClientError && error.code === "TIMEOUT";
          this.answers.push({ ask, answer: isLate ? "none" : "closed" });
          this.#lines.delete(via);
          throw new NoAnswer(`Cannot get an answer to ${ask}`, { cause: error });
        }
      },
    };
  }

  /** Asks for something that is no matter of groups; its answer is not noted. */
  async arrange<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
  ): Promise<ResponseOf<A>> {
    const line = await this.#line("arrangements");
    return await this.#wire.wait(line.request(api, version, body));
  }

  async pass(ms: number): Promise<void> {
    await this.#wire.pass(ms);
  }

  hangUp(): void {
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
  }

  async #line(via: string): Promise<Line> {
    const known = this.#lines.get(via);
    if (known !== undefined) return known;
    const line = await this.#wire.wait(this.#wire.dial());
    this.#lines.set(via, line);
    return line;
  }
}

/** The broker has closed the connection, or said nothing. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** Plays a case to its end; a connection that is closed ends it too. */
export async function played(each: Case, options: Omit<TalkOptions, "title">): Promise<Talk> {
  const talk = new Talk({ ...options, title: each.title });
  try {
    await each.play(talk);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  } finally {
    talk.hangUp();
  }
  return talk;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  return hash;
}
