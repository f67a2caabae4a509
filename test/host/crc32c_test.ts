import { describe, expect, test } from "bun:test";
import process from "node:process";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import { loadCrc32c } from "../../src/host/crc32c.ts";

describe("loadCrc32c()", () => {
  test("gives the answers of the tables, whole and in parts", () => {
    const seed = Number(process.env["MQ_SEED"] ?? 5);
    console.log(`crc32c_test: MQ_SEED=${seed}`);
    const prng = new Prng(seed);
    const { crc32c } = loadCrc32c();
    for (let round = 0; round < 300; round++) {
      const bytes = prng.bytes(prng.below(500));
      const cut = prng.below(bytes.length + 1);
      const wanted = crc32cTables(bytes);
      expect(crc32c(bytes)).toBe(wanted);
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(wanted);
    }
  });

  test("is native where tests are run", () => {
    expect(loadCrc32c().implementation).toBe("native");
  });
});
