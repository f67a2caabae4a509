/**
 * Words and constructs that do not belong here, each with what is wanted instead.
 *
 * The patterns of this file would find themselves; it is told apart by being the one place that names
 * them, as strings and patterns are blank to the checks of code.
 */
import { findAll, type Finding, isTypeScript, partsOf, type SourceFile } from "./source.ts";

const VAGUE_NAME = /(?:^|\/)(utils?|common|helpers?|types?|misc)(?:\.ts|\/|$)/;

/** Names of files and folders say a duty. */
export function checkNames(files: readonly SourceFile[]): readonly Finding[] {
  return files.flatMap(({ path }) => {
    const vague = VAGUE_NAME.exec(path)?.[1];
    const name = path.split("/").at(-1) as string;
    const message = vague !== undefined
      ? `"${vague}" says nothing: name it by its duty`
      : name === "index.ts"
      ? "no barrels: import the file that has it"
      : /^(?:src|cli|test)\/.*\.ts$/.test(path) && !/^[a-z0-9_]+(?:\.d)?\.ts$/.test(name)
      ? "file names are snake_case"
      : undefined;
    return message === undefined ? [] : [{ path, line: 1, message }];
  });
}

interface Ban {
  readonly pattern: RegExp;
  readonly wanted: string;
}

/** In code; comments and strings are not looked at. */
const inCode: readonly Ban[] = [
  ban(/(?<=[:<|(,&]\s*|\bas\s+)any\b(?!\s*[(:])/g, "unknown, or the real type"),
  ban(/(?<=[\w$)\]])!(?![=\w$(])/g, "a check, or `as T` behind one"),
  ban(/(?<![.\w$])enum\s+\w+\s*\{/g, "a constant object and the union of its values"),
  ban(/(?<![.\w$])namespace\s+\w+\s*\{/g, "a module"),
  ban(/\bexport\s+default\b/g, "a named export"),
  ban(/(?<=[(,]\s*)(?:private|public|protected)\s/g, "a field with #"),
  ban(/(?:^|\n)\s*@\w+/g, "a plain function instead of a decorator"),
];

/** In comments. */
const inComments: readonly Ban[] = [
  ban(/\bTODO\b(?!\(#\d+\))/g, "TODO(#123), or do it"),
  ban(/\b(?:FIXME|XXX|HACK)\b/g, "TODO(#123), or do it"),
  ban(/@ts-(?:ignore|expect-error|nocheck)/g, "the right type"),
  ban(/\b(?:whitelist|blacklist)/gi, "allowed and refused"),
];

/** In tests. `skipIf` is for tools that are absent, and only where real tools are run. */
const inTests: readonly Ban[] = [
  ban(/\b(?:test|it|describe)\.(?:skip|only|todo|failing|if|todoIf)\b/g, "a test that runs"),
  ban(/\b(?:xit|xtest|xdescribe|fit|fdescribe)\(/g, "a test that runs"),
  ban(/\bexpect\((?:true|false|1|0)\)/g, "a claim about something"),
  ban(/\bBun\.sleep|\bsetTimeout\(\s*(?:resolve|done)\b/g, "an event to wait for, not a time"),
];

const mayUseSkipIf = /^test\/(?:conform|accept|cluster|crash|deno)\/|^test\/\w+_test\.ts$/;
const mayWait = /^test\/(?:harness|bench|deno)\//;

function ban(pattern: RegExp, wanted: string): Ban {
  return { pattern, wanted };
}

/** No banned construct in TypeScript. */
export function checkWords(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(isTypeScript).flatMap((file) => {
    const { code, comments } = partsOf(file.text);
    const apply = (bans: readonly Ban[], text: string): readonly Finding[] =>
      bans.flatMap(({ pattern, wanted }) =>
        findAll(file, pattern, (match) => `${match[0].trim()}: write ${wanted}`, text)
      );
    const findings = [...apply(inCode, code), ...apply(inComments, comments)];
    if (!file.path.startsWith("test/")) return findings;
    if (!mayWait.test(file.path)) findings.push(...apply(inTests, code));
    if (!mayUseSkipIf.test(file.path)) {
      findings.push(...apply([ban(/\btest\.skipIf\b/g, "a test that runs everywhere")], code));
    }
    return findings;
  });
}

/** Hosts that packages come from. Whoever installs has their own, so the project names none. */
const REGISTRY_HOST =
  /\b(?:registry\.[a-z0-9-]+\.[a-z]{2,}|(?:[a-z0-9-]+\.)*(?:npmjs|yarnpkg)\.(?:org|com)|(?:npm\.)?jsr\.io|esm\.sh|unpkg\.com|deno\.land)\b/g;

/** No file names a package registry, and the lock file has no addresses. */
export function checkRegistryHosts(files: readonly SourceFile[]): readonly Finding[] {
  return files.flatMap((file) => [
    ...findAll(file, REGISTRY_HOST, (match) => `${match[0]}: no registry host is named here`),
    ...(file.path.endsWith("package-lock.json")
      ? findAll(file, /"resolved"/g, () => "the lock file has an address: npm's setting is off")
      : []),
  ]);
}
