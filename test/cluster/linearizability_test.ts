/** The judge of histories is judged itself: by histories that were doctored, by clean ones, by chance. */
import { describe, expect, test } from "bun:test";
import process from "node:process";
import { Prng } from "../../src/ground/prng.ts";
import { type Answer, type Call, judge, type Operation } from "./linearizability.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 11);

/** `"0-3 create a: done"`, on one topic; behind the colon an answer or a value; `@n1` is a reader. */
function history(...lines: readonly string[]): readonly Operation[] {
  return lines.map((line, index) => {
    const match = /^(\d+)-(\d+) (\w+) ?(\w*): (\w+)(?: @(\w+))?$/.exec(line);
    if (match === null) throw new Error(`Cannot read ${line}`);
    const [, calledAt, answeredAt, kind = "", value = "", answer = "", reader] = match;
    const known = ["done", "exists", "missing", "unknown"].includes(answer);
    return {
      topic: "t",
      client: `c${index}`,
      call: callOf(kind as Call["kind"], value),
      answer: (known ? { kind: answer } : { kind: "value", value: answer }) as Answer,
      calledAt: Number(calledAt),
      answeredAt: Number(answeredAt),
      ...(reader === undefined ? {} : { reader }),
    };
  });
}

function callOf(kind: Call["kind"], value: string): Call {
  return kind === "create" || kind === "alter" ? { kind, value } : { kind };
}

const CLEAN: Readonly<Record<string, readonly string[]>> = {
  "a life of a topic": [
    "0-1 probe: missing",
    "2-3 create a: done",
    "4-5 create b: exists",
    "6-7 read: a",
    "8-9 alter b: done",
    "10-11 read: b",
    "12-13 delete: done",
    "14-15 delete: missing",
    "16-17 create c: done",
    "18-19 read: c",
  ],
  "two creates at once, of which one wins": [
    "0-5 create a: exists",
    "1-4 create b: done",
    "6-7 read: b",
  ],
  "a create without an answer that was made": ["0-1 create a: unknown", "2-3 create b: exists"],
  "a create without an answer that was not made": ["0-1 create a: unknown", "2-3 create b: done"],
  "a delete without an answer that is made late": [
    "0-1 create a: done",
    "2-3 delete: unknown",
    "4-5 probe: exists",
    "6-7 probe: missing",
  ],
  "changes at once, in either order": [
    "0-1 create a: done",
    "2-9 alter b: done",
    "3-8 alter c: done",
    "4-5 read: c",
    "10-11 read: b",
  ],
  "reads that follow behind": [
    "0-1 create a: done",
    "2-3 alter b: done",
    "4-5 read: a @n1",
    "6-7 read: b @n1",
    "8-9 read: missing @n2",
    "10-11 read: a @n2",
  ],
  "a resurrection by a create of its own": [
    "0-1 create a: done",
    "2-3 delete: done",
    "4-9 create a: unknown",
    "5-6 read: a",
  ],
};

const DOCTORED: Readonly<Record<string, readonly string[]>> = {
  "a stale read": ["0-1 create a: done", "2-3 alter b: done", "4-5 read: a"],
  "a stale probe": ["0-1 create a: done", "2-3 delete: done", "4-5 probe: exists"],
  "a lost create": ["0-1 create a: done", "2-3 probe: missing"],
  "a lost create that somebody has seen": [
    "0-9 create a: done",
    "1-2 probe: exists",
    "3-4 probe: missing",
  ],
  "a lost change": [
    "0-1 create a: done",
    "2-3 alter b: done",
    "4-5 alter c: unknown",
    "6-7 read: a",
  ],
  "a resurrected topic": ["0-1 create a: done", "2-3 delete: done", "4-5 read: a"],
  "a topic that comes back in a second create's place": [
    "0-1 create a: done",
    "2-3 delete: done",
    "4-5 create b: done",
    "6-7 read: a",
  ],
  "success twice": ["0-1 create a: done", "2-3 create b: done"],
  "success twice, at the same time": ["0-5 create a: done", "1-4 create b: done"],
  "a delete that succeeds twice": ["0-1 create a: done", "2-5 delete: done", "3-6 delete: done"],
  "a repeated create that is refused for its own first try": [
    "0-1 probe: missing",
    "2-5 create a: exists",
    "6-7 read: a",
  ],
  "a delete of what was never there": ["0-1 delete: done"],
  "a change of what was never there": ["0-1 alter a: done"],
  "a value that nobody wrote": ["0-1 create a: done", "2-3 read: z"],
  "an effect before its call": ["0-1 probe: exists", "2-3 create a: done"],
  "an unknown create that is made twice": [
    "0-1 create a: unknown",
    "2-3 read: a",
    "4-5 delete: done",
    "6-7 read: a",
  ],
  "a reader that goes back": [
    "0-1 create a: done",
    "2-3 alter b: done",
    "4-5 read: b @n1",
    "6-7 read: a @n1",
  ],
  "a reader that is ahead": ["0-1 read: a @n1", "2-3 create a: done"],
  "a reader that sees what never was": [
    "0-1 create a: done",
    "2-3 alter b: done",
    "4-5 read: c @n1",
  ],
  "two readers that disagree on the order": [
    "0-1 create a: done",
    "2-9 alter b: done",
    "2-9 alter c: done",
    "10-11 read: b @n1",
    "12-13 read: c @n1",
    "10-11 read: c @n2",
    "12-13 read: b @n2",
  ],
};

describe("judge()", () => {
  for (const [name, lines] of Object.entries(CLEAN)) {
    test(`takes ${name}`, () => {
      expect(judge(history(...lines))).toEqual({ kind: "linearizable" });
    });
  }

  for (const [name, lines] of Object.entries(DOCTORED)) {
    test(`refuses ${name}`, () => {
      expect(judge(history(...lines)).kind).toBe("violation");
    });
  }

  test("names the topic, and shows what cannot be placed", () => {
    const good = history("0-1 create a: done").map((one) => ({ ...one, topic: "good" }));
    const verdict = judge([...good, ...history("0-1 create a: done", "2-3 probe: missing")]);
    if (verdict.kind !== "violation") throw new Error(`It is ${verdict.kind}`);
    expect(verdict.topic).toBe("t");
    expect(verdict.why).toContain("? 2.0–3.0 c1: probe -> missing");
    expect(verdict.why).toContain("at best it is there with a");
  });

  test("says so when it gives up", () => {
    const many = Array.from({ length: 12 }, (_, at) => `0-1 alter v${at}: unknown`);
    const all = history("0-1 create a: done", ...many, "2-3 read: z");
    expect(judge(all, 100)).toEqual({ kind: "undecided", topic: "t" });
  });

  test("judges a long history with many unknown answers in little time", () => {
    const { operations } = chanceHistory(new Prng(3), { count: 300, clients: 6, unknownIn: 12 });
    expect(judge(operations).kind).toBe("linearizable");
  });
});

describe(`judge() and a search through all orders agree (MQ_SEED=${SEED})`, () => {
  test("on histories as they were and with an answer changed", () => {
    const chance = new Prng(SEED);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const { operations } = chanceHistory(chance, { count: 6, clients: 3, unknownIn: 5 });
      expect(judge(operations).kind).toBe("linearizable");
      const doctored = withOneAnswerChanged(operations, chance);
      const isPossible = someOrderExplains(doctored);
      if (!isPossible) refused++;
      if ((judge(doctored).kind === "linearizable") !== isPossible) {
        throw new Error(`Round ${round}: ${JSON.stringify(doctored)} is ${isPossible}`);
      }
    }
    expect(refused).toBeGreaterThan(300);
  });
});

interface ChanceOptions {
  readonly count: number;
  readonly clients: number;
  /** One in so many answers is lost. */
  readonly unknownIn: number;
}

/**
 * A history that a register did give: each operation takes effect at an instant inside of it, or, where it
 * follows behind, at one before its answer and not before the reader's last.
 */
function chanceHistory(
  chance: Prng,
  { count, clients, unknownIn }: ChanceOptions,
): { readonly operations: readonly Operation[] } {
  const free = Array.from({ length: clients }, () => 0);
  const lastRead = Array.from({ length: clients }, () => -1);
  const planned = Array.from({ length: count }, () => {
    const client = chance.below(clients);
    const calledAt = (free[client] as number) + chance.below(3);
    const isBehind = chance.below(4) === 0;
    let effectAt = calledAt + chance.below(8) + chance.below(1000) / 1001;
    const answeredAt = effectAt + chance.below(5);
    if (isBehind) {
      effectAt = Math.max(lastRead[client] as number, effectAt - chance.below(15));
      lastRead[client] = effectAt;
    }
    free[client] = answeredAt + 1;
    return { client, calledAt, effectAt, answeredAt, isBehind };
  }).sort((one, other) => one.effectAt - other.effectAt);
  let state: string | null = null;
  const operations = planned.map((plan, index): Operation => {
    const { client, calledAt, answeredAt, isBehind } = plan;
    const call = chanceCall(chance, index, isBehind);
    const isLost = chance.below(unknownIn) === 0;
    const isMade = !isLost || chance.below(2) === 0;
    const answer = answerOf(state, call);
    if (isMade && answer.kind === "done") state = "value" in call ? call.value : null;
    return {
      topic: "t",
      client: `c${client}`,
      call,
      answer: isLost ? { kind: "unknown" } : answer,
      calledAt,
      answeredAt,
      ...(isBehind ? { reader: `r${client}` } : {}),
    };
  });
  return { operations };
}

function chanceCall(chance: Prng, index: number, isRead: boolean): Call {
  const kinds = (["probe", "read", "create", "alter", "delete"] as const).slice(0, isRead ? 2 : 5);
  return callOf(kinds[chance.below(kinds.length)] as Call["kind"], `v${index}`);
}

function answerOf(state: string | null, call: Call): Answer {
  if (call.kind === "create") return { kind: state === null ? "done" : "exists" };
  if (state === null) return { kind: "missing" };
  if (call.kind === "probe") return { kind: "exists" };
  return call.kind === "read" ? { kind: "value", value: state } : { kind: "done" };
}

function withOneAnswerChanged(
  operations: readonly Operation[],
  chance: Prng,
): readonly Operation[] {
  const at = chance.below(operations.length);
  return operations.map((operation, index) => {
    if (index !== at) return operation;
    const { call } = operation;
    const others: readonly Answer[] = call.kind === "create"
      ? [{ kind: "done" }, { kind: "exists" }]
      : call.kind === "probe"
      ? [{ kind: "exists" }, { kind: "missing" }]
      : call.kind === "read"
      ? [{ kind: "value", value: `v${chance.below(6)}` }, { kind: "missing" }]
      : [{ kind: "done" }, { kind: "missing" }];
    return { ...operation, answer: others[chance.below(others.length)] as Answer };
  });
}

/** The definition, written down without any thought of speed. */
function someOrderExplains(left: readonly Operation[], state: string | null = null): boolean {
  if (left.every(({ answer }) => answer.kind === "unknown")) return true;
  return left.some((first, at) => {
    const others = left.filter((_, index) => index !== at);
    const isTooEarly = others.some(({ answer, answeredAt, reader }) =>
      answer.kind !== "unknown" && answeredAt < first.calledAt &&
      (first.reader === undefined || first.reader === reader)
    );
    if (isTooEarly) return false;
    const right = answerOf(state, first.call);
    const isRight = JSON.stringify(right) === JSON.stringify(first.answer);
    if (first.answer.kind !== "unknown" && !isRight) return false;
    const next = right.kind !== "done" ? state : "value" in first.call ? first.call.value : null;
    return someOrderExplains(others, next);
  });
}
