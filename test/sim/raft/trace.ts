/**
 * The trace of a run: always a hash of every event; lines per node only when a run is recorded.
 *
 * A run is a function of its options, so nothing is kept on the fast path: a failing run is simply
 * run again with recording on.
 */

const LINES_MAX = 200;

export class Trace {
  #hash = 0x811c9dc5;
  readonly #lines: Map<number, string[]> | undefined;

  constructor(isRecording: boolean) {
    this.#lines = isRecording ? new Map() : undefined;
  }

  get isRecording(): boolean {
    return this.#lines !== undefined;
  }

  mix(value: number): void {
    const mixed = Math.imul(this.#hash ^ (value | 0), 0x85ebca6b);
    this.#hash = mixed ^ (mixed >>> 15);
  }

  text(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Keeps a line of a node (-1: the world); the newest `LINES_MAX` stay. Call only when recording. */
  line(node: number, text: string): void {
    const lines = this.#lines?.get(node) ?? [];
    this.#lines?.set(node, lines);
    lines.push(text);
    if (lines.length > LINES_MAX) lines.shift();
  }

  /** The last lines of every node, the world's first. */
  report(linesPerNode: number): string {
    const nodes = [...(this.#lines ?? new Map<number, string[]>())].sort(([a], [b]) => a - b);
    return nodes.map(([node, lines]) => {
      const title = node < 0 ? "world" : `node ${node + 1}`;
      return [`-- ${title}`, ...lines.slice(-linesPerNode)].join("\n");
    }).join("\n");
  }
}
