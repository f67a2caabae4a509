/** How long a file may be. Functions are oxlint's (`.oxlintrc.json`). */
import { type Finding, isTypeScript, type SourceFile } from "./source.ts";

const LINES_WITHOUT_REASON_MAX = 300;
const LINES_MAX = 600;
/** A header gives its reason with a word like these: "Longer than most, because …". */
const REASON = /\b(?:long|longer|length|over 300 lines)\b/i;

/** Every file but a test has a header; over 300 lines it says why; over 600 there is no reason. */
export function checkSizes(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isTypeScript).flatMap((file) => {
    const header = headerOf(file.text);
    const lines = file.text.split("\n").length - 1;
    const mayLackHeader = file.path.endsWith("_test.ts"); // its names say it
    const problem = header === undefined && !mayLackHeader
      ? "no header comment says what this file is"
      : lines > LINES_MAX
      ? `${lines} lines, at most ${LINES_MAX}`
      : lines > LINES_WITHOUT_REASON_MAX && !REASON.test(header ?? "")
      ? `${lines} lines: over ${LINES_WITHOUT_REASON_MAX} the header says why it is long`
      : undefined;
    return problem === undefined ? [] : [{ path: file.path, line: 1, message: problem }];
  });
}

/** The comment that a file begins with. */
function headerOf(text: string): string | undefined {
  return /^(?:#!.*\n)?(\/\*\*[\s\S]*?\*\/|(?:\/\/.*\n)+)/.exec(text)?.[1];
}
