/**
 * The engine of patterns without the import that a broker waits for: a simulation awaits nothing of the
 * host. That it comes late, as in a broker, is left to the clock of the simulation.
 */
import { RE2JS } from "re2js";
import { LazyRegexes } from "../../../src/runtime/coordinator/lazy_regexes.ts";
import type { Life } from "../life.ts";
import { replace, type Undo } from "../replace.ts";
import type { Scheduler } from "../scheduler.ts";

const LOAD_US = 40_000;

interface Loading {
  readonly promise: Promise<void>;
  isDone: boolean;
}

/** Until the function that it gives back is called. */
export function preloadRegexes(scheduler: Scheduler): Undo {
  const loadings = new WeakMap<LazyRegexes, Loading>();
  const begin = (life: Life): Loading => {
    let done = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      done = resolve;
    });
    const loading: Loading = { promise, isDone: false };
    scheduler.after(LOAD_US, { label: "import", life }, () => {
      loading.isDone = true;
      done();
    });
    return loading;
  };
  const undo = [
    replace(LazyRegexes.prototype, "load", function (this: LazyRegexes): Promise<void> | undefined {
      let loading = loadings.get(this);
      if (loading === undefined) loadings.set(this, loading = begin(scheduler.life as Life));
      return loading.isDone ? undefined : loading.promise;
    }),
    replace(
      LazyRegexes.prototype,
      "compile",
      function (this: LazyRegexes, pattern: string): ((topic: string) => boolean) | undefined {
        if (loadings.get(this)?.isDone !== true) return undefined;
        const compiled = RE2JS.compile(pattern);
        return (topic) => compiled.matches(topic);
      },
    ),
  ];
  return () => {
    for (const one of undo) one();
  };
}
