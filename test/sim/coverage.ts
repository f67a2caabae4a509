/** How often which fault met which phase of a node, and what operations came to. */
export class Coverage {
  readonly counts = new Map<string, number>();

  add(key: string, count = 1): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + count);
  }

  merge(other: ReadonlyMap<string, number>): void {
    for (const [key, count] of other) this.add(key, count);
  }

  lines(): readonly string[] {
    return [...this.counts].sort(([left], [right]) => left < right ? -1 : 1)
      .map(([key, count]) => `${key.padEnd(48)} ${count}`);
  }
}
