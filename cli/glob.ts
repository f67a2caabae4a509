/** Shell patterns over names: `*` any text, `?` one character, `[a-z]` and `[!a-z]` one of a set. */

/** A test for whole names; every other character, a dot too, stands for itself. */
export function compileGlob(pattern: string): (name: string) => boolean {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string;
    const setEnd = character === "[" ? pattern.indexOf("]", at + 2) : -1;
    if (character === "*") source += ".*";
    else if (character === "?") source += ".";
    else if (setEnd > 0) {
      const set = pattern.slice(at + 1, setEnd).replace(/[\\\]^]/g, "\\$&").replace(/^!/, "^");
      source += `[${set}]`;
      at = setEnd;
    } else source += character.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  }
  try {
    const expression = new RegExp(`^${source}$`, "s");
    return (name) => expression.test(name);
  } catch {
    return (name) => name === pattern; // a set that makes no sense, such as [z-a], matches itself
  }
}

/** A name without `*`, `?` or a set stands for itself: then it is one thing that is asked for. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}
