/**
 * Whether a history of operations on topics, made at the same time by several clients, is one that a
 * single cluster could have given: for every topic there is an order in which each operation takes
 * effect at one instant between its call and its answer, and each answer is right in that order
 * (Herlihy and Wing; the search is Wing and Gong's, with Lowe's memory of places already seen).
 *
 * A topic is a register: absent, or there with the value of one setting. Topics do not know of each
 * other, so each is searched alone. An operation without a definite answer may have taken effect at any
 * time after its call, or never. A read through a broker follows behind, as in Kafka: it may be of the
 * past, but one reader (a node in one of its lives) never goes back.
 *
 * Not here: how a history is made (`topic_client.ts`).
 */

export type Call =
  | { readonly kind: "create"; readonly value: string }
  | { readonly kind: "alter"; readonly value: string }
  | { readonly kind: "delete" }
  /** Asks whether it is there, and changes nothing. */
  | { readonly kind: "probe" }
  /** Asks for the value. */
  | { readonly kind: "read" };

export type Answer =
  /** A change that was made. */
  | { readonly kind: "done" }
  | { readonly kind: "exists" }
  | { readonly kind: "missing" }
  | { readonly kind: "value"; readonly value: string }
  /** No answer, or one that says nothing of what was done. */
  | { readonly kind: "unknown" };

export interface Operation {
  readonly topic: string;
  readonly client: string;
  readonly call: Call;
  readonly answer: Answer;
  readonly calledAt: number;
  /** When the answer came; of no importance where it is unknown. */
  readonly answeredAt: number;
  /** Of a read that follows behind: who reads. */
  readonly reader?: string;
}

export type Verdict =
  | { readonly kind: "linearizable" }
  | { readonly kind: "violation"; readonly topic: string; readonly why: string }
  /** The search was given up. */
  | { readonly kind: "undecided"; readonly topic: string };

/** The value, or null where the topic is absent. */
type State = string | null;

const PLACES_MAX = 500_000;

/** The first topic whose history is not possible, or could not be judged; otherwise that all are. */
export function judge(history: readonly Operation[], placesMax = PLACES_MAX): Verdict {
  for (const [topic, operations] of byTopic(history)) {
    const verdict = new Search(topic, operations, placesMax).run();
    if (verdict.kind !== "linearizable") return verdict;
  }
  return { kind: "linearizable" };
}

/** One line of a history, for people. */
export function describeOperation(operation: Operation): string {
  const { call, answer, client, calledAt, answeredAt, reader } = operation;
  const asked = "value" in call ? `${call.kind} ${call.value}` : call.kind;
  const told = answer.kind === "value" ? answer.value : answer.kind;
  const end = answer.kind === "unknown" ? "…" : answeredAt.toFixed(1);
  const through = reader === undefined ? "" : ` behind ${reader}`;
  return `${calledAt.toFixed(1)}–${end} ${client}${through}: ${asked} -> ${told}`;
}

function byTopic(history: readonly Operation[]): ReadonlyMap<string, readonly Operation[]> {
  const topics = new Map<string, Operation[]>();
  for (const operation of history) {
    const operations = topics.get(operation.topic);
    if (operations === undefined) topics.set(operation.topic, [operation]);
    else operations.push(operation);
  }
  return topics;
}

/** What the topic is after an operation that answered so; undefined where it could not have. */
function after(state: State, { call, answer }: Operation): State | undefined {
  switch (answer.kind) {
    case "done":
      return changed(state, call);
    case "exists":
      return state === null ? undefined : state;
    case "missing":
      return state === null ? state : undefined;
    case "value":
      return state === answer.value ? state : undefined;
    case "unknown":
      return changed(state, call) ?? state;
  }
}

/** What the change makes of the topic; undefined where it would be refused. */
function changed(state: State, call: Call): State | undefined {
  switch (call.kind) {
    case "create":
      return state === null ? call.value : undefined;
    case "alter":
      return state === null ? undefined : call.value;
    case "delete":
      return state === null ? undefined : null;
    case "probe":
    case "read":
      return undefined;
  }
}

/** A place of the search: what has taken effect so far, and what the topic is then. */
interface Place {
  readonly state: State;
  /** By index in `definite`. */
  readonly done: ReadonlySet<number>;
  /** By index in `uncertain`. */
  readonly happened: ReadonlySet<number>;
}

class Search {
  readonly #topic: string;
  readonly #placesMax: number;
  /** In the order of their answers. */
  readonly #definite: readonly Operation[];
  /** Changes that may or may not have been made. */
  readonly #uncertain: readonly Operation[];
  readonly #seen = new Set<string>();
  /** The place that explains the most, for the report. */
  #farthest: Place = { state: null, done: new Set(), happened: new Set() };

  constructor(topic: string, operations: readonly Operation[], placesMax: number) {
    this.#topic = topic;
    this.#placesMax = placesMax;
    this.#definite = operations.filter(({ answer }) => answer.kind !== "unknown")
      .toSorted((one, other) => one.answeredAt - other.answeredAt);
    this.#uncertain = operations.filter(({ answer, call }) =>
      answer.kind === "unknown" && call.kind !== "probe" && call.kind !== "read"
    );
  }

  run(): Verdict {
    const waiting: Place[] = [this.#farthest];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      const settled = this.#settle(place);
      if (settled.done.size === this.#definite.length) return { kind: "linearizable" };
      if (settled.done.size > this.#farthest.done.size) this.#farthest = settled;
      if (!this.#isNew(settled)) continue;
      if (this.#seen.size > this.#placesMax) return { kind: "undecided", topic: this.#topic };
      waiting.push(...this.#next(settled));
    }
    return { kind: "violation", topic: this.#topic, why: this.#explain() };
  }

  /**
   * Takes what only asks, may be next, and is right here. That it is taken now closes no way: it
   * changes nothing, and what comes after it is only freer.
   */
  #settle(place: Place): Place {
    const done = new Set(place.done);
    let before = -1;
    while (before !== done.size) {
      before = done.size;
      const limit = this.#firstAnswer(done);
      const waitingReaders = new Set<string>();
      for (const [index, operation] of this.#definite.entries()) {
        if (done.has(index) || operation.answer.kind === "done") continue;
        const { reader } = operation;
        const isInTurn = reader === undefined || !waitingReaders.has(reader);
        const mayBeNext = isInTurn && earliest(operation) <= limit;
        if (mayBeNext && after(place.state, operation) !== undefined) done.add(index);
        else if (reader !== undefined) waitingReaders.add(reader);
      }
    }
    return { ...place, done };
  }

  /** The places one change further on. */
  #next(place: Place): readonly Place[] {
    const limit = this.#firstAnswer(place.done);
    const places: Place[] = [];
    for (const [index, operation] of this.#uncertain.entries()) {
      if (place.happened.has(index) || operation.calledAt > limit) continue;
      const state = changed(place.state, operation.call);
      if (state === undefined) continue; // it would change nothing: as if it never happened
      places.push({ ...place, state, happened: new Set([...place.happened, index]) });
    }
    for (const [index, operation] of this.#definite.entries()) {
      if (place.done.has(index) || operation.answer.kind !== "done") continue;
      if (operation.calledAt > limit) continue;
      const state = after(place.state, operation);
      if (state === undefined) continue;
      places.push({ ...place, state, done: new Set([...place.done, index]) });
    }
    return places;
  }

  /** Nothing that was called after this may come before what was answered then. */
  #firstAnswer(done: ReadonlySet<number>): number {
    // They are in the order of their answers.
    const first = this.#definite.find((_, index) => !done.has(index));
    return first?.answeredAt ?? Infinity;
  }

  #isNew({ state, done, happened }: Place): boolean {
    let base = 0;
    while (done.has(base)) base++;
    const beyond = [...done].filter((index) => index > base).sort((one, other) => one - other);
    const uncertain = [...happened].sort((one, other) => one - other);
    const key = `${base}:${beyond.join(",")}:${uncertain.join(",")}:${JSON.stringify(state)}`;
    const before = this.#seen.size;
    return this.#seen.add(key).size > before;
  }

  #explain(): string {
    const { done, state, happened } = this.#farthest;
    const lines = this.#definite.map((operation, index) =>
      `  ${done.has(index) ? " " : "?"} ${describeOperation(operation)}`
    );
    const uncertain = this.#uncertain.map((operation, index) =>
      `  ${happened.has(index) ? "+" : "-"} ${describeOperation(operation)}`
    );
    const told = state === null ? "absent" : `there with ${state}`;
    return [
      `topic ${this.#topic}: no order explains these answers; at best it is ${told} when those ` +
      "marked with ? cannot be placed",
      ...lines,
      ...uncertain,
    ].join("\n");
  }
}

function earliest({ calledAt, reader }: Operation): number {
  return reader === undefined ? calledAt : -Infinity;
}
