/** Lists that were asked for one name, which is not there: an empty list would look like an answer. */
import { Failure } from "./failure.ts";
import { isPattern } from "./glob.ts";
import { nearest } from "./suggest.ts";

const CODES = { group: "GROUP_ID_NOT_FOUND", topic: "UNKNOWN_TOPIC_OR_PARTITION" } as const;

/** Throws where `name` is no pattern and none of `known`. */
export function rejectMissingName(
  kind: keyof typeof CODES,
  name: string | undefined,
  known: readonly string[],
): void {
  if (name === undefined || isPattern(name) || known.includes(name)) return;
  const suggestion = nearest(name, known);
  const question = suggestion === undefined ? "" : `. Did you mean '${suggestion}'?`;
  throw new Failure(CODES[kind], `There is no ${kind} ${name}${question}`, {
    hint: `mq ${kind} list lists the ${kind}s`,
  });
}
