/**
 * Decisions as tables: what may be found, row by row, and one answer for each combination.
 *
 * Facts have few values each, so that a test can walk all combinations: each must match exactly one
 * row. Which row that is, is told with its label wherever a decision is traced.
 */
import { assert } from "../ground/assert.ts";

/** The values that each fact may have. */
export type Domain<Facts> = { readonly [Key in keyof Facts]: readonly Facts[Key][] };

/** A fact that is not named may be anything; several values mean any of them. */
export type Pattern<Facts> = { readonly [Key in keyof Facts]?: Facts[Key] | readonly Facts[Key][] };

export interface Row<Facts, Decision> {
  readonly label: string;
  readonly when: Pattern<Facts>;
  readonly decision: Decision;
}

export class DecisionTable<Facts extends object, Decision> {
  readonly name: string;
  readonly domain: Domain<Facts>;
  readonly rows: readonly Row<Facts, Decision>[];

  constructor(name: string, domain: Domain<Facts>, rows: readonly Row<Facts, Decision>[]) {
    this.name = name;
    this.domain = domain;
    this.rows = rows;
  }

  decide(facts: Facts): Decision {
    return this.rowOf(facts).decision;
  }

  rowOf(facts: Facts): Row<Facts, Decision> {
    const row = this.rows.find((candidate) => matches(candidate.when, facts));
    assert(row !== undefined, `${this.name} has a row for ${JSON.stringify(facts)}`);
    return row;
  }

  /** All rows that match; one, as the test of the table sees to. */
  rowsOf(facts: Facts): readonly Row<Facts, Decision>[] {
    return this.rows.filter((row) => matches(row.when, facts));
  }

  /** Every combination of facts. */
  combinations(): readonly Facts[] {
    let found: Partial<Facts>[] = [{}];
    for (const key of Object.keys(this.domain) as (keyof Facts)[]) {
      found = found.flatMap((facts) =>
        this.domain[key].map((value) => ({ ...facts, [key]: value }))
      );
    }
    return found as Facts[];
  }
}

function matches<Facts>(when: Pattern<Facts>, facts: Facts): boolean {
  for (const key in when) {
    const wanted = when[key] as unknown;
    const fact = facts[key as keyof Facts];
    if (Array.isArray(wanted) ? !wanted.includes(fact) : wanted !== fact) return false;
  }
  return true;
}
