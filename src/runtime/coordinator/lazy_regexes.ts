/**
 * Patterns of users, in RE2's language, judged without going back: the time for one name grows with the
 * length of the name times the size of the pattern's program, for whatever pattern.
 *
 * That is no small bound by itself: a pattern of ten characters may take 50 ms for a name. So programs
 * are bounded, and a pattern that turns out to be far slower than any sensible one stops being a
 * pattern while it is judged by. A program is made once and kept while it is among those used last.
 *
 * The engine is loaded when the first group needs it, because that takes longer than a broker's start.
 *
 * Keeps: `compile` is asked only after `load` has resolved, or says that nothing is a pattern.
 */
import type { Clock } from "../../env/clock.ts";
import { REGEX_LENGTH_MAX } from "../../group/consumer/regexes.ts";
import type { RegexEngine } from "../../group/turn.ts";
import { roughProgramSize, widePartCount } from "./pattern_size.ts";

/** What is used of `re2js`. */
interface Re2 {
  compile(pattern: string): CompiledPattern;
}

interface CompiledPattern {
  matches(text: string): boolean;
  programSize(): number;
}

type Judge = (topic: string) => boolean;

/** One without repetitions of the greatest length has fewer. */
const PROGRAM_SIZE_MAX = 2100;
/** The estimate is no reason to refuse what the engine would find small enough. */
const ROUGH_SIZE_MAX = 4 * PROGRAM_SIZE_MAX;
/** Names of topics are ASCII, so a sensible pattern has hardly any. */
const WIDE_PARTS_MAX = 16;
/** Each may hold up to 8 MiB of what the engine has learned of names. */
const KEPT_MAX = 32;
/** What a pattern may take each time it is asked for, and for each name; sensible ones take a tenth. */
const BUDGET_MS = 50;
const BUDGET_OF_NAME_MS = 0.01;
/** A name counts for no more, for it may have been the process that stood still. */
const COUNTED_MS_MAX = 10;

export class LazyRegexes implements RegexEngine {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #engine: Re2 | undefined;
  #loading: Promise<void> | undefined;
  /** The one used longest ago first. */
  readonly #kept = new Map<string, Pattern>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Undefined once it is there. */
  load(): Promise<void> | undefined {
    if (this.#engine !== undefined) return undefined;
    this.#loading ??= import("re2js").then(({ RE2JS }) => {
      this.#engine = RE2JS;
    });
    return this.#loading;
  }

  /** Undefined also for one that takes too long to judge by: then it judges nothing any more. */
  compile(pattern: string): Judge | undefined {
    if (this.#engine === undefined || pattern.length > REGEX_LENGTH_MAX) return undefined;
    const kept = this.#kept.get(pattern) ??
      new Pattern(compiled(this.#engine, pattern), this.#clock);
    this.#kept.delete(pattern);
    this.#kept.set(pattern, kept);
    if (this.#kept.size > KEPT_MAX) this.#forgetOldest();
    return kept.judge();
  }

  #forgetOldest(): void {
    for (const pattern of this.#kept.keys()) return void this.#kept.delete(pattern);
  }
}

/** One pattern, and what it has taken since it was asked for. */
class Pattern {
  /** Undefined where it is none, or none any more. */
  #compiled: CompiledPattern | undefined;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #leftMs = 0;

  constructor(compiled: CompiledPattern | undefined, clock: Pick<Clock, "monotonicMs">) {
    this.#compiled = compiled;
    this.#clock = clock;
  }

  judge(): Judge | undefined {
    if (this.#compiled === undefined) return undefined;
    this.#leftMs = BUDGET_MS;
    return (topic) => this.#matches(topic);
  }

  #matches(topic: string): boolean {
    if (this.#compiled === undefined) return false;
    const beganMs = this.#clock.monotonicMs();
    const isMeant = this.#compiled.matches(topic);
    const tookMs = this.#clock.monotonicMs() - beganMs;
    this.#leftMs += BUDGET_OF_NAME_MS - Math.min(tookMs, COUNTED_MS_MAX);
    if (this.#leftMs < 0) this.#compiled = undefined;
    return isMeant;
  }
}

/** Undefined for what the engine does not take, and for what stands for too much. */
function compiled(engine: Re2, pattern: string): CompiledPattern | undefined {
  if (roughProgramSize(pattern) > ROUGH_SIZE_MAX) return undefined;
  if (widePartCount(pattern) > WIDE_PARTS_MAX) return undefined;
  try {
    const made = engine.compile(pattern);
    return made.programSize() > PROGRAM_SIZE_MAX ? undefined : made;
  } catch {
    return undefined;
  }
}
