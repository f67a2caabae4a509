/**
 * Patterns of users, judged by an engine in linear time (RE2's language): no pattern can hold the event
 * loop. It is loaded when the first group needs it, because that takes longer than a broker's start.
 *
 * Keeps: `compile` is asked only after `load` has resolved, or says that nothing is a pattern.
 */
import type { RegexEngine } from "../../group/turn.ts";

/** What is used of `re2js`. */
interface Re2 {
  compile(pattern: string): { matches(text: string): boolean; programSize(): number };
}

/**
 * Steps of a pattern at each character of a name. A pattern may be short and stand for much (`\pL{1000}`);
 * with so many, judging ten thousand names takes a second at worst, and one without repetitions of the
 * greatest length has fewer.
 */
const PROGRAM_SIZE_MAX = 3000;

export class LazyRegexes implements RegexEngine {
  #engine: Re2 | undefined;
  #loading: Promise<void> | undefined;

  /** Undefined once it is there. */
  load(): Promise<void> | undefined {
    if (this.#engine !== undefined) return undefined;
    this.#loading ??= import("re2js").then(({ RE2JS }) => {
      this.#engine = RE2JS;
    });
    return this.#loading;
  }

  /** Undefined also for one that would take too long to judge by. */
  compile(pattern: string): ((topic: string) => boolean) | undefined {
    if (this.#engine === undefined) return undefined;
    try {
      const compiled = this.#engine.compile(pattern);
      if (compiled.programSize() > PROGRAM_SIZE_MAX) return undefined;
      return (topic) => compiled.matches(topic);
    } catch {
      return undefined; // what the engine does not take is none
    }
  }
}
