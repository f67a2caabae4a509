/**
 * What the commands say: data on stdout in the form that was asked for, talk on stderr.
 *
 * stdout carries data and nothing else; `-q` silences talk, never errors. Errors are one sentence and a
 * hint on stderr, and with --json also a JSON document on stdout.
 */
import { type ColourChoice, type Colours, createColours, mayColour } from "./colours.ts";
import type { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import type { Flags } from "./parse_line.ts";
import { formatCsv, formatTable, type Table } from "./table.ts";

export type OutputFormat = "text" | "wide" | "json" | "ndjson" | "csv" | "name";

/** A list in all its forms. */
export interface Listing {
  /** For text, wide and csv. */
  readonly table: Table;
  /** One object per row, for json and ndjson. */
  readonly items: readonly object[];
  /** For `-f name`. */
  readonly names: readonly string[];
}

export class Printer {
  readonly format: OutputFormat;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly out: Colours;
  readonly err: Colours;
  readonly #io: Io;
  readonly #hasHeader: boolean;

  constructor(io: Io, flags: Flags, format: OutputFormat) {
    this.#io = io;
    this.format = format;
    this.isQuiet = flags.isSet("quiet");
    this.isVerbose = flags.isSet("verbose");
    this.#hasHeader = !flags.isSet("no-header");
    const choice = (flags.text("color") ?? "auto") as ColourChoice;
    this.out = createColours(mayColour(choice, io.stdout.isTerminal, io.environment));
    this.err = createColours(mayColour(choice, io.stderr.isTerminal, io.environment));
  }

  get isJson(): boolean {
    return this.format === "json" || this.format === "ndjson";
  }

  /** Data, with the ends of its lines. */
  async print(text: string): Promise<void> {
    if (text !== "") await this.#io.stdout.write(new TextEncoder().encode(text));
  }

  async printLines(lines: readonly string[]): Promise<void> {
    await this.print(lines.map((line) => `${line}\n`).join(""));
  }

  async printJson(value: object): Promise<void> {
    const indent = this.#io.stdout.isTerminal && this.format === "json" ? 2 : undefined;
    await this.print(`${JSON.stringify(value, null, indent)}\n`);
  }

  async printList(listing: Listing): Promise<void> {
    switch (this.format) {
      case "json":
        return await this.printJson(listing.items);
      case "ndjson":
        return await this.printLines(listing.items.map((item) => JSON.stringify(item)));
      case "name":
        return await this.printLines(listing.names);
      case "csv":
        return await this.printLines(formatCsv(listing.table, this.#hasHeader));
      case "text":
      case "wide":
        return await this.printTable(listing.table);
    }
  }

  async printTable(table: Table): Promise<void> {
    const heading = this.#io.stdout.isTerminal ? this.out.bold : undefined;
    await this.printLines(formatTable(table, { hasHeader: this.#hasHeader, heading }));
  }

  /** Tells what was done; not with -q, and not where the data says it already. */
  say(text: string): void {
    if (!this.isQuiet) this.#io.stderr.write(`${text}\n`);
  }

  /** Tells what only somebody who watches wants to know. */
  remark(text: string): void {
    const isWatched = this.#io.stderr.isTerminal || this.isVerbose;
    if (isWatched && !this.isQuiet) this.#io.stderr.write(`${this.err.dim(text)}\n`);
  }

  warn(text: string, hint?: string): void {
    if (this.isQuiet) return;
    this.#io.stderr.write(`${this.err.yellow("mq: warning:")} ${text}\n`);
    this.#hint(hint);
  }

  /** The error on stderr; -q does not silence it. */
  complain(failure: Failure): void {
    this.#io.stderr.write(`${this.err.red("mq:")} ${failure.message}\n`);
    this.#hint(failure.hint);
  }

  #hint(hint: string | undefined): void {
    if (hint !== undefined) this.#io.stderr.write(`${this.err.dim("hint:")} ${hint}\n`);
  }
}

/** The error document of --json, and of each element of `results`. */
export function failureDocument(failure: Failure): object {
  const { code, message, hint, retriable } = failure;
  return { code, message, ...(hint === undefined ? {} : { hint }), retriable };
}
