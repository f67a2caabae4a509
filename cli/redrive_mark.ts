/**
 * What a redrive writes beside the offset it commits, so that the next one can go on behind it.
 *
 *   {"run":"4711.1764…","at":1764…,"left":[[4,6],[9,9]],"ends":{"jobs":[[0,120],[3,88]]}}
 *
 * `ends` stands there while letters are on their way: where each target partition ended before. Who
 * finds it looks there for letters that have arrived already. `left` are letters before the offset that
 * could not be put back, first and last of each stretch. `run` is who is at work.
 */

/** By topic and partition. */
export type Ends = ReadonlyMap<string, ReadonlyMap<number, number>>;

export const NO_ENDS: Ends = new Map();

export interface RedriveMark {
  /** Undefined where nobody is at work. */
  readonly run: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ends: Ends;
  /** Offsets of letters that were left, ascending. */
  readonly left: readonly number[];
}

/** Brokers take 4096 bytes of metadata where nobody has told them otherwise. */
export const MARK_BYTES_MAX = 4000;

export function formatMark({ run, at, ends, left }: RedriveMark): string {
  const shown = [...ends].map(([topic, offsets]) => [topic, [...offsets]] as const);
  return JSON.stringify({
    ...(run === undefined ? {} : { run }),
    at,
    ...(left.length === 0 ? {} : { left: stretchesOf(left) }),
    ...(shown.length === 0 ? {} : { ends: Object.fromEntries(shown) }),
  });
}

/** Undefined where it is none: another tool, or `mq group seek`, has moved the group. */
export function parseMark(text: string): RedriveMark | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined; // the only way JSON says no
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const { run, at, ends = {}, left } = parsed as Partial<Record<keyof RedriveMark, unknown>>;
  if (typeof at !== "number" || typeof ends !== "object" || ends === null) return undefined;
  const topics = Object.entries(ends).map(([topic, pairs]) =>
    [topic, new Map((Array.isArray(pairs) ? pairs : []).filter(isPair))] as const
  );
  const stretches = (Array.isArray(left) ? left : []).filter(isPair);
  return {
    run: typeof run === "string" ? run : undefined,
    at,
    ends: new Map(topics),
    left: stretches.flatMap(([first, last]) =>
      Array.from({ length: Math.max(last - first + 1, 0) }, (_, at) => first + at)
    ),
  };
}

/** First and last of each stretch without a gap; `offsets` ascend. */
export function stretchesOf(offsets: readonly number[]): readonly (readonly [number, number])[] {
  const stretches: [number, number][] = [];
  for (const offset of offsets) {
    const last = stretches.at(-1);
    if (last?.[1] === offset - 1) last[1] = offset;
    else stretches.push([offset, offset]);
  }
  return stretches;
}

function isPair(pair: unknown): pair is [number, number] {
  return Array.isArray(pair) && Number.isSafeInteger(pair[0]) && Number.isSafeInteger(pair[1]);
}

/** All places of both; where both know one, the lower offset. */
export function lowerEnds(one: Ends, other: Ends): Ends {
  const merged = new Map([...one].map(([topic, ends]) => [topic, new Map(ends)]));
  for (const [topic, ends] of other) {
    const known = merged.get(topic) ?? new Map<number, number>();
    merged.set(topic, known);
    for (const [partition, end] of ends) {
      known.set(partition, Math.min(end, known.get(partition) ?? end));
    }
  }
  return merged;
}
