import { expect, test } from "bun:test";
import { concat } from "../../src/ground/concat.ts";

test("concat() joins parts in their order, into memory of their own", () => {
  const part = Uint8Array.of(1, 2);
  const joined = concat([part, new Uint8Array(0), Uint8Array.of(3)]);
  part[0] = 9;
  expect(joined).toEqual(Uint8Array.of(1, 2, 3));
  expect(concat([])).toEqual(new Uint8Array(0));
});
