/**
 * Counts which fault met which phase of the protocol: what was never met was never tested.
 *
 * A phase is the role of the node it happens to and what is under way there; a fault without a node
 * (a network split) meets the phase of every node.
 */
export class Coverage {
  readonly #counts = new Map<string, number>();

  met(fault: string, phase: string, times = 1): void {
    const key = `${fault} x ${phase}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + times);
  }

  count(fault: string, phase: string): number {
    return this.#counts.get(`${fault} x ${phase}`) ?? 0;
  }

  addAll(other: Coverage): void {
    for (const [key, times] of other.#counts) {
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + times);
    }
  }

  /** A row per fault, a column per phase. */
  table(): string {
    const keys = [...this.#counts.keys()].map((key) => key.split(" x ") as [string, string]);
    const faults = [...new Set(keys.map(([fault]) => fault))].sort();
    const phases = [...new Set(keys.map(([, phase]) => phase))].sort();
    const width = Math.max(...faults.map((fault) => fault.length), 5);
    const rows = faults.map((fault) =>
      [
        fault.padEnd(width),
        ...phases.map((phase) => String(this.count(fault, phase)).padStart(phase.length)),
      ].join("  ")
    );
    return [["fault".padEnd(width), ...phases].join("  "), ...rows].join("\n");
  }
}
