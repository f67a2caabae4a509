/** Many waits at once, but not all of them. */

/** Runs `action` on all items, `count` of them at a time; throws the first error when all have ended. */
export async function atMost<T>(
  count: number,
  items: readonly T[],
  action: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    // deno-lint-ignore no-await-in-loop -- as many at a time as there are workers
    while (next < items.length) await action(items[next++] as T);
  };
  const workers = Array.from({ length: Math.min(count, items.length) }, worker);
  const failed = (await Promise.allSettled(workers)).find((ended) => ended.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
