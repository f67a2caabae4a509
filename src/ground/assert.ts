/**
 * What a broken program does: it says what was relied on, and ends.
 *
 * Assertions stay on in release. They are for facts the program itself guarantees; bad input from
 * outside is never asserted, it is answered (see the error values of `api/`).
 */

/** Thrown by `assert`; nobody below the program's edge catches it. */
export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

/** Ends the program's current step when a fact it relies on does not hold. */
export function assert(condition: boolean, reliedOn: string): asserts condition {
  if (!condition) throw new AssertionFailure(`Assertion failed: ${reliedOn}`);
}

/** Marks the end of an exhaustive switch; the compiler proves that it is not reached. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`Assertion failed: unreachable value ${String(value)}`);
}
