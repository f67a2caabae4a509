import { describe, expect, test } from "bun:test";
import { Prng } from "../../src/ground/prng.ts";
import { putVarint, putVarlong } from "../../src/ground/varint.ts";
import { RecordScan } from "../../src/record/record_scan.ts";
import { seedOf } from "./batches.ts";

function scanOf(...bytes: readonly number[]): RecordScan {
  return new RecordScan(Uint8Array.from(bytes), 0, bytes.length);
}

describe("RecordScan", () => {
  test("varint() reads what putVarint() writes", () => {
    const prng = new Prng(seedOf("record_scan_test"));
    const target = new Uint8Array(10);
    const edges = [0, -1, 1, 63, 64, -64, -65, 8191, 8192, 0x7fffffff, -0x80000000];
    for (let round = 0; round < 5000; round++) {
      const value = edges[round] ?? (prng.u32() | 0) >> prng.below(32);
      const end = putVarint(target, 0, value);
      const scan = new RecordScan(target, 0, end);
      expect(scan.varint()).toBe(value);
      expect([scan.position, scan.isBroken]).toEqual([end, false]);
    }
  });

  test("varlong() reads what putVarlong() writes", () => {
    const prng = new Prng(seedOf("record_scan_test"));
    const target = new Uint8Array(12);
    const edges = [0, -1, 2 ** 31, -(2 ** 31), 2 ** 40, -(2 ** 40) - 1, 2 ** 52, -(2 ** 52)];
    for (let round = 0; round < 5000; round++) {
      const magnitude = Math.floor(prng.u32() * 2 ** (prng.below(53) - 32));
      const value = edges[round] ?? (prng.oneIn(2) ? magnitude : -magnitude - 1);
      const end = putVarlong(target, 0, value);
      const scan = new RecordScan(target, 0, end);
      expect(scan.varlong()).toBe(value);
      expect([scan.position, scan.isBroken]).toEqual([end, false]);
    }
  });

  test("varlong() saturates beyond the safe integers", () => {
    const most = scanOf(0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 1);
    expect([most.varlong(), most.isBroken]).toEqual([Number.MAX_SAFE_INTEGER, false]);
    const least = scanOf(0xff, 255, 255, 255, 255, 255, 255, 255, 255, 1);
    expect([least.varlong(), least.isBroken]).toEqual([-Number.MAX_SAFE_INTEGER, false]);
  });

  test("varint() takes a form longer than needed, but not 6 bytes", () => {
    expect(scanOf(0x82, 0x80, 0x80, 0x80, 0).varint()).toBe(1);
    const long = scanOf(0x82, 0x80, 0x80, 0x80, 0x80, 0);
    expect([long.varint(), long.isBroken]).toEqual([0, true]);
  });

  test("varlong() does not take 11 bytes", () => {
    const long = scanOf(0x82, ...Array.from({ length: 9 }, () => 0x80), 0);
    expect([long.varlong(), long.isBroken]).toEqual([0, true]);
  });

  test("a read past the end breaks the scan for good", () => {
    const reads: readonly ((scan: RecordScan) => unknown)[] = [
      (scan) => scan.varint(),
      (scan) => scan.varlong(),
      (scan) => scan.skip(3),
      (scan) => scan.skipHeaders(1),
      (scan) => scan.skipHeaders(-1),
    ];
    for (const read of reads) {
      const scan = scanOf(0x80, 0x80);
      read(scan);
      expect(scan.isBroken).toBeTrue();
      expect([scan.varint(), scan.varlong()]).toEqual([0, 0]);
    }
  });
});
