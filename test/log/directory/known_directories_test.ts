import { expect, test } from "bun:test";
import { bytesOf, textOf } from "../../../src/ground/text.ts";
import {
  decodeKnownDirectories,
  encodeKnownDirectories,
} from "../../../src/log/directory/known_directories.ts";

test("known directories are read as they were written, and not at all where they are damaged", () => {
  const known = [
    { directoryId: "Kq3m1", path: "/disks/one" },
    { directoryId: "zzz", path: "/disks/with a space" },
  ];
  const whole = textOf(encodeKnownDirectories(known));
  expect(whole).toBe("0\nKq3m1 /disks/one\nzzz /disks/with a space\n");
  expect(decodeKnownDirectories(bytesOf(whole))).toEqual(known);
  expect(decodeKnownDirectories(bytesOf("0\n"))).toEqual([]);
  for (const text of ["", "0", "1\na /b\n", "0\na\n", "0\na /b", "\n"]) {
    expect(decodeKnownDirectories(bytesOf(text))).toBeUndefined();
  }
});
