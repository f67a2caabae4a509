/**
 * `bun:test` for Deno, over `node:test`: the import map in this folder points the name here.
 *
 * Every test becomes one top-level test named "describe > test", and the hooks are run here, around
 * it: so the hooks' order is Bun's whatever `node:test` does with its own, and each test counts once.
 */
import process from "node:process";
import nodeTest from "node:test";

export { expect } from "./expect.ts";

type Body = () => void | PromiseLike<void>;
type Options = number | { readonly timeout?: number };

/** A `describe` with its hooks. `left` counts its tests that have not ended: the last runs afterAll. */
interface Scope {
  readonly name: string;
  readonly parent: Scope | undefined;
  readonly beforeAll: Body[];
  readonly afterAll: Body[];
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
  left: number;
  hasBegun: boolean;
}

const TIMEOUT_MS = Number(process.env["MQ_TEST_TIMEOUT_MS"] ?? 120_000);
const root = scopeOf("", undefined);
let current = root;

function scopeOf(name: string, parent: Scope | undefined): Scope {
  const hooks = { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
  return { name, parent, ...hooks, left: 0, hasBegun: false };
}

/** Groups tests; the body runs at once. */
export function describe(name: string, body: () => void): void {
  const outer = current;
  current = scopeOf(outer.name === "" ? name : `${outer.name} > ${name}`, outer);
  try {
    body();
  } finally {
    current = outer;
  }
}

/** Registers one test. */
export function test(name: string, body: Body, options?: Options): void {
  const scope = current;
  const scopes = chainOf(scope);
  for (const each of scopes) each.left++;
  const timeout = typeof options === "number" ? options : options?.timeout ?? TIMEOUT_MS;
  nodeTest(fullName(scope, name), { timeout }, () => runTest(scopes, body));
}

/** Registers a test that is counted as skipped where `condition` holds. */
test.skipIf = (condition: boolean): (name: string, body: Body, options?: Options) => void => {
  if (!condition) return test;
  const scope = current;
  return (name) => void nodeTest(fullName(scope, name), { skip: true }, () => undefined);
};

export const it = test;

export function beforeAll(hook: Body): void {
  current.beforeAll.push(hook);
}

export function afterAll(hook: Body): void {
  current.afterAll.push(hook);
}

export function beforeEach(hook: Body): void {
  current.beforeEach.push(hook);
}

export function afterEach(hook: Body): void {
  current.afterEach.push(hook);
}

function fullName(scope: Scope, name: string): string {
  return scope.name === "" ? name : `${scope.name} > ${name}`;
}

/** The scope and its parents, outermost first. */
function chainOf(scope: Scope): readonly Scope[] {
  return scope.parent === undefined ? [scope] : [...chainOf(scope.parent), scope];
}

async function runTest(scopes: readonly Scope[], body: Body): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (step: Body): Promise<void> => {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  };
  for (const scope of scopes) {
    if (!scope.hasBegun) {
      scope.hasBegun = true;
      for (const hook of scope.beforeAll) await attempt(hook);
    }
  }
  for (const scope of scopes) for (const hook of scope.beforeEach) await attempt(hook);
  if (failures.length === 0) await attempt(body);
  for (const scope of scopes.toReversed()) for (const hook of scope.afterEach) await attempt(hook);
  for (const scope of scopes.toReversed()) {
    scope.left--;
    if (scope.left === 0) { for (const hook of scope.afterAll) await attempt(hook); }
  }
  if (failures.length > 0) throw failures[0];
}
