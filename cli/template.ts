/**
 * Templates of `consume -f`: `'%t %p %o %k %v\n'`.
 *
 *   %t topic   %p partition   %o offset   %T timestamp in ms   %d timestamp as RFC 3339
 *   %k key     %v value (also %s)   %K length of the key   %V length of the value (also %S); -1 = null
 *   %h headers as name=value,…   %% a percent sign      \n \t \r \0 \\ \xHH
 *
 * Keys and values are written as they are, byte for byte. Nothing is added at the end of a record.
 */
import { usageFailure } from "./failure.ts";
import { toBytes } from "./record_text.ts";

/** One piece of a template. */
export type TemplatePart =
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  | { readonly kind: "verb"; readonly verb: Verb };

const VERBS = ["t", "p", "o", "T", "d", "k", "v", "K", "V", "h"] as const;
export type Verb = (typeof VERBS)[number];

const synonyms: ReadonlyMap<string, Verb> = new Map([["s", "v"], ["S", "V"]]);
const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["0", "\0"],
  ["a", "\x07"],
  ["e", "\x1b"],
  ["\\", "\\"],
]);

/** Throws a usage failure that names what is not known. */
export function parseTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let text: number[] = [];
  const flush = (): void => {
    if (text.length > 0) parts.push({ kind: "text", bytes: Uint8Array.from(text) });
    text = [];
  };
  for (const match of template.matchAll(/%([^]?)|\\x([0-9a-fA-F]{2})|\\([^]?)|[^%\\]+/g)) {
    const [whole, verb, hex, escaped] = match;
    if (verb !== undefined && verb !== "%") {
      flush();
      parts.push({ kind: "verb", verb: verbOf(verb) });
    } else if (verb === "%") text.push(0x25);
    else if (hex !== undefined) text.push(parseInt(hex, 16));
    else if (escaped !== undefined) text.push(...toBytes(unescape(escaped)));
    else text.push(...toBytes(whole));
  }
  flush();
  return parts;
}

function verbOf(letter: string): Verb {
  const verb = synonyms.get(letter) ?? VERBS.find((known) => known === letter);
  if (verb !== undefined) return verb;
  throw usageFailure(
    `Unknown '%${letter}' in the format`,
    `There are %${VERBS.join(" %")} and %%; see mq help formatting`,
  );
}

function unescape(character: string): string {
  const known = escapes.get(character);
  if (known !== undefined) return known;
  throw usageFailure(
    `Unknown '\\${character}' in the format`,
    "There are \\n \\t \\r \\0 \\\\ and \\xHH; see mq help formatting",
  );
}

/** Bytes of a delimiter (`-D`): the escapes of a template, and no verbs. */
export function parseDelimiter(text: string): Uint8Array {
  const parts = parseTemplate(text.replaceAll("%", "%%"));
  const [part] = parts;
  if (parts.length === 1 && part?.kind === "text") return part.bytes;
  throw usageFailure("Empty delimiter: at least one byte is wanted");
}
