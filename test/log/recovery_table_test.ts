import { describe, expect, test } from "bun:test";
import { DecisionTable } from "../../src/log/decision_table.ts";
import {
  damageCases,
  fileCases,
  orphanCases,
  RECOVERY_TABLES,
  segmentCases,
} from "../../src/log/recovery.ts";

type AnyTable = DecisionTable<Record<string, string>, string>;

/** Combinations that match no row, or more than one. */
function faults(table: AnyTable): string[] {
  return table.combinations().flatMap((facts) => {
    const rows = table.rowsOf(facts);
    return rows.length === 1 ? [] : [`${rows.length} rows for ${JSON.stringify(facts)}`];
  });
}

describe("RECOVERY_TABLES", () => {
  for (const table of RECOVERY_TABLES as unknown as readonly AnyTable[]) {
    test(`${table.name} has one row for each combination`, () => {
      expect(faults(table)).toEqual([]);
      const count = Object.values(table.domain).reduce((product, of) => product * of.length, 1);
      expect(table.combinations()).toHaveLength(count);
    });

    test(`${table.name} has no row that never decides`, () => {
      for (const row of table.rows) {
        const uses = table.combinations().filter((facts) => table.rowOf(facts) === row);
        expect([row.label, uses.length > 0]).toEqual([row.label, true]);
      }
    });
  }

  test("cut nothing that was durable, and nothing at all after a clean stop", () => {
    for (const facts of damageCases.combinations()) {
      const isCut = damageCases.decide(facts) === "cut";
      expect(isCut).toBe(facts.stop === "unclean" && facts.place !== "below");
    }
    for (const facts of segmentCases.combinations()) {
      if (segmentCases.decide(facts) === "drop") expect(facts.start).toBe("below");
    }
    for (const facts of orphanCases.combinations()) {
      if (orphanCases.decide(facts) === "refuse") expect(facts.content).toBe("entries");
    }
    for (const facts of fileCases.combinations()) {
      if (facts.name === "foreign") expect(fileCases.decide(facts)).toBe("leave and tell");
    }
  });
});

describe("DecisionTable", () => {
  const domain = { left: ["a", "b"], right: ["c", "d"] };

  test("combinations() that no row or two rows match are found", () => {
    const table = new DecisionTable<Record<string, string>, string>("holes", domain, [
      { label: "one", when: { left: "a" }, decision: "x" },
      { label: "two", when: { left: ["a", "b"], right: "c" }, decision: "y" },
    ]);
    expect(faults(table)).toEqual([
      '2 rows for {"left":"a","right":"c"}',
      '0 rows for {"left":"b","right":"d"}',
    ]);
  });

  test("decide() relies on a row", () => {
    const table = new DecisionTable<Record<string, string>, string>("empty", domain, []);
    expect(() => table.decide({ left: "a", right: "c" })).toThrow("empty has a row for");
  });
});
