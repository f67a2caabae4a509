/**
 * Did-you-mean: the nearest known name to what was typed. Suggestions are told, never run.
 *
 * The only edit distance of `cli/`. The broker has its own (`src/ground/nearest.ts`), because a wrong
 * word must not wait for the library to load, and `cli/` sees `src/mod.ts` only; a test keeps the two
 * equal.
 */

const DISTANCE_MAX = 3;
/** From here on the beginning of a name is enough. */
const PREFIX_LETTERS = 3;

/**
 * The nearest of the known names, or undefined where none is near enough to be meant: half of the
 * letters may differ, three at most. A name that starts with what was typed is always near.
 */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(DISTANCE_MAX, Math.floor(typed.length / 2)) + 1;
  for (const name of known) {
    const isPrefix = typed.length >= PREFIX_LETTERS && name.startsWith(typed);
    const distance = isPrefix ? 0.5 : editDistance(typed.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** How many single-character edits (two swapped neighbours count as one) lead from one to the other. */
export function editDistance(source: string, target: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: target.length + 1 }, (_, column) => column);
  for (let row = 1; row <= source.length; row++) {
    const current = [row];
    for (let column = 1; column <= target.length; column++) {
      const isSame = source[row - 1] === target[column - 1];
      let distance = Math.min(
        (previous[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (previous[column - 1] as number) + (isSame ? 0 : 1),
      );
      const isSwapped = row > 1 && column > 1 && source[row - 1] === target[column - 2] &&
        source[row - 2] === target[column - 1];
      if (isSwapped) distance = Math.min(distance, (beforePrevious[column - 2] as number) + 1);
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[target.length] as number;
}
