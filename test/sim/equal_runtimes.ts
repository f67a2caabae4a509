/**
 * Where the runtimes differ in how many turns of the promise queue something takes, one way for both:
 * the trace of a seed is the same on Bun and on Deno.
 *
 * Found so far: `finally`, which takes two turns less on Bun (of `await`, async generators, `Promise.all`,
 * `race`, thenables and `await using` all were compared, and are equal).
 */
export function withEqualRuntimes<Result>(action: () => Result): Result {
  const { prototype } = Promise as { readonly prototype: { finally: unknown } };
  const original = prototype.finally;
  prototype.finally = function plainFinally<T>(
    this: Promise<T>,
    onFinally: () => unknown,
  ): Promise<T> {
    return this.then(
      (value) => Promise.resolve(onFinally()).then(() => value),
      (reason: unknown) =>
        Promise.resolve(onFinally()).then(() => {
          throw reason;
        }),
    );
  };
  try {
    return action();
  } finally {
    prototype.finally = original;
  }
}
