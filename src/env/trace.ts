/** Where the program tells what happens: one event, some fields, no values of records, no secrets. */
export type TraceLevel = "debug" | "info" | "warn" | "error";

export type TraceFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Trace {
  event(level: TraceLevel, message: string, fields?: TraceFields): void;
}
