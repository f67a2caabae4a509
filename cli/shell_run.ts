/** Running a command of the shell, as `Io` offers it. */

export interface ShellRun {
  /** What `sh -c` is given. */
  readonly command: string;
  /** Beside the variables of the program itself. */
  readonly environment: Readonly<Record<string, string>>;
  /** All of its stdin. */
  readonly input: Uint8Array;
  /** Its stdout, piece by piece; a promise makes it wait. What is thrown ends the command. */
  onOutput(bytes: Uint8Array): void | Promise<void>;
  onError(bytes: Uint8Array): void;
}

export interface RunningShell {
  /** When it has ended and all it wrote was heard. Throws what `onOutput` threw. */
  readonly ended: Promise<ShellEnd>;
  /** Asks it and what it has started to end, by SIGTERM; two seconds later they are made to. */
  stop(): void;
}

/** One of the two is null. */
export interface ShellEnd {
  readonly code: number | null;
  readonly signal: string | null;
}
