/**
 * `--key-from PATH`: the key of a record is a part of its JSON value: `.user`, `.a.b[0]`, `.["x y"]`.
 *
 * The notation is jq's, as far as it names one place. Text becomes the key as it is, anything else as
 * JSON; what is null or missing is no key.
 */
import { usageFailure } from "./failure.ts";

export type KeyPath = readonly (string | number)[];

export function parseKeyPath(text: string): KeyPath {
  const path: (string | number)[] = [];
  const step = /\.?\["((?:[^"\\]|\\.)*)"\]|\.?\[(\d+)\]|\.?([^.[\]"\s]+)/y;
  const source = text === "." ? "" : text;
  while (step.lastIndex < source.length) {
    const match = step.exec(source);
    if (match === null) {
      throw usageFailure(
        `Invalid path '${text}' for --key-from`,
        'A path names one place in the value: .user, .a.b[0], .["x y"]',
      );
    }
    const [, quoted, index, name] = match;
    if (index !== undefined) path.push(Number(index));
    else path.push(quoted === undefined ? name as string : JSON.parse(`"${quoted}"`));
  }
  return path;
}

/** The key's text, or null; throws a SyntaxError where the value is not JSON. */
export function keyAt(path: KeyPath, json: string): string | null {
  let place: unknown = JSON.parse(json);
  for (const step of path) {
    if (typeof place !== "object" || place === null || !Object.hasOwn(place, step)) return null;
    place = (place as Readonly<Record<string | number, unknown>>)[step];
  }
  if (place === null || place === undefined) return null;
  return typeof place === "string" ? place : JSON.stringify(place);
}
