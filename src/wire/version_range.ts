/** Whether a version lies in a range of a schema: "3", "0-4", "3+" or "none". */
import { assert } from "../ground/assert.ts";
import type { VersionRange } from "../api/schema.ts";

const RANGE = /^(\d+)(?:(\+)|-(\d+))?$/;

/** A range that is not given holds no version. */
export function includesVersion(range: VersionRange | undefined, version: number): boolean {
  if (range === undefined || range === "none") return false;
  const match = RANGE.exec(range);
  assert(match !== null, `version range "${range}" is well-formed`);
  const [, low, open, high] = match;
  if (version < Number(low)) return false;
  return open !== undefined || version <= Number(high ?? low);
}
