/**
 * A small `expect` with the matchers the tests of mq use, so that the same files run on Deno.
 *
 * It is deliberately not the whole of Bun's: a test that needs another matcher adds it here, with a
 * case in `expect_test.ts`, which runs under both and so holds the two to the same answers.
 */
import { inspect } from "node:util";
import { deepEqual } from "./deep_equal.ts";

type Class = abstract new (...args: never[]) => unknown;
type Thrown = string | RegExp | Class | Error;

export interface Matchers<Result> {
  readonly not: Matchers<Result>;
  toBe(expected: unknown): Result;
  toEqual(expected: unknown): Result;
  toStrictEqual(expected: unknown): Result;
  toBeUndefined(): Result;
  toBeDefined(): Result;
  toBeNull(): Result;
  toBeTrue(): Result;
  toBeFalse(): Result;
  toBeNaN(): Result;
  toBeGreaterThan(bound: number | bigint): Result;
  toBeGreaterThanOrEqual(bound: number | bigint): Result;
  toBeLessThan(bound: number | bigint): Result;
  toBeLessThanOrEqual(bound: number | bigint): Result;
  toContain(element: unknown): Result;
  toMatch(pattern: string | RegExp): Result;
  toThrow(expected?: Thrown): Result;
  toHaveLength(length: number): Result;
  toBeInstanceOf(constructor: Class): Result;
}

export interface Expectation extends Matchers<void> {
  readonly resolves: Matchers<Promise<void>>;
  readonly rejects: Matchers<Promise<void>>;
}

type Check = (actual: unknown, expected: unknown) => boolean;

const checks: Readonly<Record<string, Check>> = {
  toBe: (actual, expected) => Object.is(actual, expected),
  toEqual: deepEqual,
  toStrictEqual: deepEqual,
  toBeUndefined: (actual) => actual === undefined,
  toBeDefined: (actual) => actual !== undefined,
  toBeNull: (actual) => actual === null,
  toBeTrue: (actual) => actual === true,
  toBeFalse: (actual) => actual === false,
  toBeNaN: (actual) => Number.isNaN(actual),
  toBeGreaterThan: (actual, bound) => (actual as number) > (bound as number),
  toBeGreaterThanOrEqual: (actual, bound) => (actual as number) >= (bound as number),
  toBeLessThan: (actual, bound) => (actual as number) < (bound as number),
  toBeLessThanOrEqual: (actual, bound) => (actual as number) <= (bound as number),
  toContain: contains,
  toMatch: (actual, pattern) => matches(String(actual), pattern as string | RegExp),
  toHaveLength: (actual, length) => (actual as { length: number }).length === length,
  toBeInstanceOf: (actual, constructor) => actual instanceof (constructor as Class),
};

/** Starts an expectation about `actual`. */
export function expect(actual: unknown, note?: string): Expectation {
  const now = matchersOf<void>((name, expected, isNegated) => {
    if (name === "toThrow") return checkThrown(thrownBy(actual), expected, isNegated);
    check({ name, actual, expected, isNegated, note });
  });
  const resolves = matchersOf<Promise<void>>(async (name, expected, isNegated) => {
    check({ name, actual: await actual, expected, isNegated, note });
  });
  const rejects = matchersOf<Promise<void>>(async (name, expected, isNegated) => {
    const thrown = await rejectionOf(actual);
    if (name === "toThrow") return checkThrown(thrown, expected, isNegated);
    if (thrown === undefined) throw new Error("Expected the promise to be rejected");
    check({ name, actual: thrown.error, expected, isNegated, note });
  });
  return Object.assign(now, { resolves, rejects });
}

type Run<Result> = (name: string, expected: unknown, isNegated: boolean) => Result;

/** One function a matcher, and the same again under `not`. */
function matchersOf<Result>(run: Run<Result>): Matchers<Result> {
  const made: Record<string, unknown> = {};
  const negated: Record<string, unknown> = {};
  for (const name of [...Object.keys(checks), "toThrow"]) {
    made[name] = (expected?: unknown) => run(name, expected, false);
    negated[name] = (expected?: unknown) => run(name, expected, true);
  }
  made["not"] = negated;
  return made as unknown as Matchers<Result>;
}

interface Claim {
  readonly name: string;
  readonly actual: unknown;
  readonly expected: unknown;
  readonly isNegated: boolean;
  readonly note: string | undefined;
}

function check(claim: Claim): void {
  const { name, actual, expected, isNegated, note } = claim;
  const holds = (checks[name] as Check)(actual, expected);
  if (holds !== isNegated) return;
  throw new Error(
    `${note === undefined ? "" : `${note}: `}Expected ${isNegated ? "not " : ""}${name}\n` +
      `  expected: ${shown(expected)}\n  received: ${shown(actual)}`,
  );
}

const SHOWN_MAX = 4000;

function shown(value: unknown): string {
  const text = inspect(value, { depth: 6, maxArrayLength: 64, maxStringLength: 2000 });
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)} …` : text;
}

function contains(actual: unknown, element: unknown): boolean {
  if (typeof actual === "string") return actual.includes(String(element));
  return [...(actual as Iterable<unknown>)].some((each) => Object.is(each, element));
}

function matches(text: string, pattern: string | RegExp): boolean {
  return typeof pattern === "string" ? text.includes(pattern) : pattern.test(text);
}

interface Caught {
  readonly error: unknown;
}

function thrownBy(action: unknown): Caught | undefined {
  try {
    (action as () => unknown)();
    return undefined;
  } catch (error) {
    return { error };
  }
}

async function rejectionOf(actual: unknown): Promise<Caught | undefined> {
  try {
    await (typeof actual === "function" ? actual() : actual);
    return undefined;
  } catch (error) {
    return { error };
  }
}

function checkThrown(thrown: Caught | undefined, expected: unknown, isNegated: boolean): void {
  const holds = thrown !== undefined && isWanted(thrown.error, expected);
  if (holds !== isNegated) return;
  const what = thrown === undefined ? "nothing was thrown" : `thrown was ${shown(thrown.error)}`;
  throw new Error(`Expected ${isNegated ? "not " : ""}toThrow ${shown(expected)}: ${what}`);
}

function isWanted(error: unknown, expected: unknown): boolean {
  if (expected === undefined) return true;
  if (typeof expected === "function") return error instanceof expected;
  const message = error instanceof Error ? error.message : String(error);
  if (expected instanceof Error) return message === expected.message;
  return matches(message, expected as string | RegExp);
}
