/** States of groups as people write them: `stable`, `preparing-rebalance`. */
import { usageFailure } from "./failure.ts";
import { nearest } from "./suggest.ts";

/** Kafka's, of both protocols. */
const STATES = [
  "Empty",
  "PreparingRebalance",
  "CompletingRebalance",
  "Stable",
  "Assigning",
  "Reconciling",
  "Dead",
];

/** Kafka's spelling. Throws a usage failure. */
export function requireState(text: string): string {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, "");
  const found = STATES.find((name) => plain(name) === plain(text));
  if (found !== undefined) return found;
  const known = STATES.map(dashed);
  const suggestion = nearest(text, known);
  const question = suggestion === undefined ? "" : `. Did you mean '${suggestion}'?`;
  throw usageFailure(
    `Unknown state '${text}' of a group${question}`,
    `It is one of ${known.join(", ")}`,
  );
}

function dashed(name: string): string {
  return name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
