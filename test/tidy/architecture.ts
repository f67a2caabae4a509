/**
 * ARCHITECTURE.md as data: a section with a paragraph and an invariant per folder, and the floors.
 *
 *     ### `src/ground/`
 *     A paragraph.
 *     **Invariant:** a sentence.
 *
 *     | 0 | `ground/` P | … | – |
 */
import { floors, folderOf } from "./floors.ts";
import type { Finding, SourceFile } from "./source.ts";

const PATH = "ARCHITECTURE.md";

/** Every folder of `src/` has its section, each whole, and no section is without a folder. */
export function checkSections(files: readonly SourceFile[]): readonly Finding[] {
  const text = textOf(files);
  const sections = sectionsOf(text);
  const folders = new Set(
    files.filter(({ path }) => path.split("/").length > 2).flatMap(({ path }) =>
      folderOf(path) ?? []
    ),
  );
  const missing = [...folders].filter((folder) => !sections.has(folder))
    .map((folder) => finding(`src/${folder}/ has no section`));
  const left = [...sections.keys()].filter((folder) => !folders.has(folder))
    .map((folder) => finding(`the section src/${folder}/ has no folder`));
  const broken = [...sections].flatMap(([folder, body]) => {
    const paragraphs = body.split(/\n\s*\n/).map((each) => each.trim()).filter((each) =>
      each !== ""
    );
    const invariants = paragraphs.filter((each) => each.startsWith("**Invariant:**"));
    if (invariants.length === 0) return [finding(`src/${folder}/ states no invariant`)];
    if (paragraphs.length === invariants.length) {
      return [finding(`src/${folder}/ has no paragraph`)];
    }
    return [];
  });
  return [...missing, ...left, ...broken];
}

/** The table of floors in the text is the one that is enforced. */
export function checkFloorTable(files: readonly SourceFile[]): readonly Finding[] {
  const rows = new Map(
    [...textOf(files).matchAll(/^\| *(\d) *\| *`([\w.]+)\/?`( P)? *\|.*\| *([^|]+?) *\|$/gm)]
      .map((match) => [match[2] as string, match] as const),
  );
  const wrong = Object.entries(floors).flatMap(([folder, floor]) => {
    const row = rows.get(folder);
    if (row === undefined) return [finding(`the table of floors lacks ${folder}`)];
    const isSame = Number(row[1]) === floor.floor && (row[3] !== undefined) === floor.isPure &&
      sameFolders(row[4] as string, floor.sees);
    return isSame ? [] : [finding(`the row of ${folder} is not what is enforced`)];
  });
  const foreign = [...rows.keys()].filter((folder) => floors[folder] === undefined)
    .map((folder) => finding(`the table has a floor that is not enforced: ${folder}`));
  return [...wrong, ...foreign];
}

/** "ground, api", "–" for none, "0–4" for all of these floors, or several of these. */
function sameFolders(cell: string, sees: readonly string[]): boolean {
  const named = cell.split(/, */).filter((each) => each !== "–").flatMap(foldersOf);
  return named.toSorted().join() === sees.toSorted().join();
}

function foldersOf(part: string): readonly string[] {
  const range = /^(\d)–(\d)$/.exec(part);
  if (range === null) return [part];
  return Object.entries(floors)
    .filter(([, { floor }]) => floor >= Number(range[1]) && floor <= Number(range[2]))
    .map(([folder]) => folder);
}

function sectionsOf(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^(#{1,6} .*)$/m);
  const sections = new Map<string, string>();
  for (let index = 1; index < parts.length; index += 2) {
    const folder = /^### `src\/([\w.]+)\/`$/.exec(parts[index] as string)?.[1];
    if (folder !== undefined) sections.set(folder, parts[index + 1] ?? "");
  }
  return sections;
}

function textOf(files: readonly SourceFile[]): string {
  return files.find(({ path }) => path === PATH)?.text ?? "";
}

function finding(message: string): Finding {
  return { path: PATH, line: 1, message };
}
