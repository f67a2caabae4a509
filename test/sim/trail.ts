/** The last things that happened to one process, for the report of a failure. */
export interface TrailEntry {
  readonly atUs: number;
  readonly label: string;
  readonly detail: number | string | Readonly<Record<string, unknown>>;
}

const ENTRIES_MAX = 200;

export class Trail {
  readonly #ring: TrailEntry[] = [];
  #next = 0;

  add(entry: TrailEntry): void {
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % ENTRIES_MAX;
  }

  lines(): readonly string[] {
    const entries = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
    return entries.map(({ atUs, label, detail }) => {
      const said = typeof detail === "object" ? JSON.stringify(detail) : String(detail);
      return `${(atUs / 1000).toFixed(3).padStart(12)} ${label} ${said}`;
    });
  }
}
