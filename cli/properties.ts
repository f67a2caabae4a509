/**
 * Reads `.properties` files as Java does: comments (# and !), `=`, `:` or a blank between name and
 * value, lines continued by a backslash at their end, the escapes \t \n \r \f \uXXXX.
 *
 * As in Java the last of repeated names counts, and there is no such thing as a wrong line. Not here:
 * what a name means.
 */

/** In the order of their last appearance. */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const [name, value] = splitProperty(line);
    properties.delete(name);
    properties.set(name, value);
  }
  return properties;
}

/** Joins what a backslash continues; a continuing line loses the blanks at its start. */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let open: string | undefined;
  for (const natural of text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, "");
    if (open === undefined && (line === "" || line.startsWith("#") || line.startsWith("!"))) {
      continue;
    }
    const joined: string = (open ?? "") + line;
    const isContinued = (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1;
    if (isContinued) open = joined.slice(0, -1);
    else lines.push(joined);
    if (!isContinued) open = undefined;
  }
  if (open !== undefined) lines.push(open);
  return lines;
}

/** The name ends at the first `=`, `:` or blank that no backslash protects. */
function splitProperty(line: string): readonly [name: string, value: string] {
  let at = 0;
  while (at < line.length && !/[=:\s]/.test(line[at] as string)) at += line[at] === "\\" ? 2 : 1;
  const rest = line.slice(at).replace(/^[ \t\f]*[=:]?[ \t\f]*/, "");
  return [unescapeProperty(line.slice(0, at)), unescapeProperty(rest)];
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["t", "\t"],
  ["n", "\n"],
  ["r", "\r"],
  ["f", "\f"],
]);

function unescapeProperty(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|([^]))/g,
    (_, code: string | undefined, character: string) =>
      code === undefined
        ? escapes.get(character) ?? character
        : String.fromCharCode(parseInt(code, 16)),
  );
}
