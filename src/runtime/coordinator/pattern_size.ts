/**
 * How large the program of a pattern is going to be, roughly and without making it: `a{1000}` stands for
 * a thousand instructions, and to make three hundred thousand of them only to refuse them takes long.
 *
 * An estimate: what it does not understand it counts by characters. What is a pattern at all, and how
 * large it really is, the engine says.
 */

const COUNT = /\{(\d{1,9})(,(\d{0,9}))?\}/y;
const BRACED_ESCAPE = /\\[xpP]\{[^}]*\}?/y;
/** A first "]" is one of the characters. */
const CLASS = /\[\^?\]?(?:\\.|[^\\\]])*\]?/ys;

/** What may stand for, or reach over, a great part of Unicode: a class of it, a character beyond ASCII. */
const WIDE = /\\[pP]|\\x\{|\P{ASCII}/gu;

/**
 * How much of a pattern is not ASCII. Each such part may take the engine a millisecond, ten thousands of
 * characters to look at one by one where case is to be ignored, and makes the program no larger.
 */
export function widePartCount(pattern: string): number {
  return pattern.match(WIDE)?.length ?? 0;
}

export function roughProgramSize(pattern: string): number {
  const outer: number[] = [];
  let size = 0;
  let last = 0;
  for (let at = 0; at < pattern.length;) {
    const part = partAt(pattern, at);
    at += part.length;
    if (part === "(") {
      outer.push(size);
      size = last = 0;
    } else if (part === ")") {
      last = size;
      size += outer.pop() ?? 0;
    } else {
      const times = timesOf(part);
      size += times === undefined ? 1 : last * (times - 1);
      last = times === undefined ? 1 : last * times;
    }
  }
  return outer.reduce((sum, each) => sum + each, size);
}

/** What stands together from there on: a count, an escape, a class, or a single character. */
function partAt(pattern: string, at: number): string {
  const first = pattern[at];
  if (first === "{") return match(COUNT, pattern, at) ?? first;
  if (first === "[") return match(CLASS, pattern, at) ?? first;
  if (first === "\\") return match(BRACED_ESCAPE, pattern, at) ?? pattern.slice(at, at + 2);
  return first as string;
}

/** How often a count repeats what is in front of it; undefined where the part is none. */
function timesOf(part: string): number | undefined {
  const counted = part.length > 1 && part.startsWith("{");
  if (!counted) return undefined;
  const [low = "", high = ""] = part.slice(1, -1).split(",");
  return Math.max(Number(low), Number(high), 1);
}

function match(regex: RegExp, text: string, at: number): string | undefined {
  regex.lastIndex = at;
  return regex.exec(text)?.[0];
}
