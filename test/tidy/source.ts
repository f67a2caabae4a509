/**
 * What the tidy checks read: files as text, and the text of a TypeScript file taken apart.
 *
 * The scanner knows just enough of the language to tell code, strings and comments apart. It keeps
 * every character's place, so that a finding has its line.
 */

export interface SourceFile {
  /** From the project's root, with "/" between the parts. */
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** A text in two copies of equal length; what belongs to the other is blank, line ends are kept. */
export interface Parts {
  /** Code; of a string only the quotes are left. */
  readonly code: string;
  readonly comments: string;
}

const BLANK = /[^\n]/g;
/** After these a slash begins a pattern, not a division. */
const BEFORE_PATTERN =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|yield|await))\s*$/;

/** Takes the text of a TypeScript file apart. */
export function partsOf(text: string): Parts {
  let code = "";
  let comments = "";
  const templates: number[] = []; // depth of braces at which each open template goes on
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    const piece = pieceAt(text, at, code);
    let kind = piece.kind;
    if (kind === "code" && text[at] === "{") depth++;
    if (kind === "code" && text[at] === "}") {
      if (templates.at(-1) === depth) kind = "template-part";
      else depth--;
    }
    let end = piece.end;
    if (kind === "template" || kind === "template-part") {
      if (kind === "template-part") {
        templates.pop();
        depth--;
      }
      end = endOfTemplatePart(text, at + 1);
      if (text[end - 1] === "{") {
        depth++;
        templates.push(depth);
      }
    }
    const raw = text.slice(at, end);
    code += kind === "code" ? raw : kind === "comment" ? blank(raw) : quoted(raw);
    comments += kind === "comment" ? raw : blank(raw);
    at = end;
  }
  return { code, comments };
}

type Kind = "code" | "comment" | "string" | "template" | "template-part";

function pieceAt(text: string, at: number, codeBefore: string): { kind: Kind; end: number } {
  const two = text.slice(at, at + 2);
  const one = text[at] as string;
  if (two === "//" || (at === 0 && two === "#!")) {
    return { kind: "comment", end: endAt(text.indexOf("\n", at), text) };
  }
  if (two === "/*") return { kind: "comment", end: endAt(text.indexOf("*/", at + 2) + 2, text) };
  if (one === '"' || one === "'") return { kind: "string", end: endOfQuoted(text, at + 1, one) };
  if (one === "`") return { kind: "template", end: at + 1 };
  if (one === "/" && BEFORE_PATTERN.test(codeBefore.slice(-40))) {
    return { kind: "string", end: endOfPattern(text, at + 1) };
  }
  return { kind: "code", end: at + 1 };
}

function endAt(found: number, text: string): number {
  return found <= 1 ? text.length : found;
}

function endOfQuoted(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote || text[at] === "\n") return at + 1;
  }
  return text.length;
}

/** Behind the closing backquote, or behind the "${" that opens an expression. */
function endOfTemplatePart(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "`") return at + 1;
    else if (text[at] === "$" && text[at + 1] === "{") return at + 2;
  }
  return text.length;
}

function endOfPattern(text: string, from: number): number {
  let isInClass = false;
  for (let at = from; at < text.length && text[at] !== "\n"; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "[") isInClass = true;
    else if (text[at] === "]") isInClass = false;
    else if (text[at] === "/" && !isInClass) return at + 1;
  }
  return from;
}

function blank(text: string): string {
  return text.replaceAll(BLANK, " ");
}

/** A string with only its first and last character left. */
function quoted(raw: string): string {
  if (raw.length < 2) return raw;
  return (raw[0] as string) + blank(raw.slice(1, -1)) + (raw.at(-1) as string);
}

export interface Import {
  /** As it is written: "./x.ts", "node:fs", "cac". */
  readonly from: string;
  readonly line: number;
}

const IMPORT = /\bimport\s*\(\s*"|\b(?:from|import)\s*"/g;

/** Everything the file imports or re-exports, types too; a dynamic import where its name is written. */
export function importsOf(file: SourceFile): readonly Import[] {
  const { code } = partsOf(file.text);
  return [...code.matchAll(IMPORT)].map((match) => {
    const start = match.index + match[0].length;
    return {
      from: file.text.slice(start, code.indexOf('"', start)),
      line: lineAt(code, match.index),
    };
  });
}

/** The path from the root that a relative import means; undefined for a package. */
export function resolved(importer: string, from: string): string | undefined {
  if (!from.startsWith(".")) return undefined;
  const parts = importer.split("/").slice(0, -1);
  for (const part of from.split("/")) {
    if (part === "..") {
      if (parts.length === 0) return `../${from}`;
      parts.pop();
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < position; at = text.indexOf("\n", at + 1)) {
    line++;
  }
  return line;
}

/** A finding for each place where the pattern (with flag g) matches. */
export function findAll(
  file: SourceFile,
  pattern: RegExp,
  message: (match: RegExpMatchArray) => string,
  text: string = file.text,
): readonly Finding[] {
  return [...text.matchAll(pattern)].map((match) => ({
    path: file.path,
    line: lineAt(text, match.index ?? 0),
    message: message(match),
  }));
}

export function isTypeScript(file: SourceFile): boolean {
  return file.path.endsWith(".ts");
}
