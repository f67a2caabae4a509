/** Findings of an examination of data on disk: a line of text, or an object for JSON. */
import type { Colours } from "./colours.ts";
import type { Finding, OffsetSpan } from "../src/mod.ts";

/** `severity TAB place TAB what is wrong TAB remedy`. */
export function findingLine(finding: Finding, colours: Colours): string {
  const { severity, message, remedy } = finding;
  const paint = severity === "damage"
    ? colours.red
    : severity === "warning"
    ? colours.yellow
    : colours.dim;
  return [paint(severity), placeText(finding), message, remedy ?? "-"].join("\t");
}

function placeText({ path, position, sizeInBytes, offsets }: Finding): string {
  const byte = position === undefined ? "" : ` byte ${position}`;
  const size = sizeInBytes === undefined ? "" : `+${sizeInBytes}`;
  return `${path}${byte}${size}${offsets === undefined ? "" : ` ${spanText(offsets)}`}`;
}

/** "offsets 10 to 19", both included. */
export function spanText({ from, until }: OffsetSpan): string {
  return until - from === 1 ? `offset ${from}` : `offsets ${from} to ${until - 1}`;
}

/** All fields, whatever is known of them. */
export function findingDocument(finding: Finding): object {
  const { severity, code, path, position, sizeInBytes, offsets, message, remedy } = finding;
  return {
    severity,
    code,
    path,
    position: position ?? null,
    sizeInBytes: sizeInBytes ?? null,
    offsets: offsets ?? null,
    message,
    remedy: remedy ?? null,
  };
}

/** "1 partition", "2 partitions". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
