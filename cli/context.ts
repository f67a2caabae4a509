/** What a running command has at hand. */
import type { Io } from "./io.ts";
import type { Lifeline } from "./lifeline.ts";
import type { Grammar } from "./normalise.ts";
import type { Flags } from "./parse_line.ts";
import type { Printer } from "./printer.ts";

/** The library `mq` is written on. Loaded only by the commands that need it: start-up time counts. */
export type Library = typeof import("../src/mod.ts");

export interface Context {
  readonly io: Io;
  readonly flags: Flags;
  readonly arguments: readonly string[];
  readonly printer: Printer;
  readonly lifeline: Lifeline;
  /** For commands about commands. */
  readonly grammar: Grammar;
  library(): Promise<Library>;
}
