/** Two equal values give the same text, whatever order their maps were filled in. */
export function canonical(value: unknown): string {
  return JSON.stringify(plain(value));
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value].join(",");
  if (value instanceof Map) {
    return sorted([...value].map(([key, held]) => [String(key), plain(held)] as const));
  }
  if (value instanceof Set) return [...value].map(canonical).sort();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, held]) => held !== undefined);
  return sorted(entries.map(([key, held]) => [key, plain(held)] as const));
}

function sorted(entries: readonly (readonly [string, unknown])[]): unknown {
  return [...entries].sort(([one], [other]) => one < other ? -1 : 1);
}
