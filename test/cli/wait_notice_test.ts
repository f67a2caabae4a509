/** What a person hears of a command that waits. */
import { describe, expect, test } from "bun:test";
import type { Printer } from "../../cli/printer.ts";
import { WaitNotice } from "../../cli/wait_notice.ts";

function setUp(): { notice: WaitNotice; talk: string[]; clock: { now: number } } {
  const talk: string[] = [];
  const clock = { now: 0 };
  const printer = {
    warn: (text: string, hint?: string) => talk.push(`${text} (${hint})`),
    say: (text: string) => talk.push(text),
  } as unknown as Printer;
  return {
    notice: new WaitNotice({ printer, now: () => clock.now, limit: "for 9s" }),
    talk,
    clock,
  };
}

const full = { code: "KAFKA_STORAGE_ERROR", message: "the disk is full", hint: "make room" };

describe("WaitNotice", () => {
  test("tells a reason once, after three seconds, and when everything works again", () => {
    const { notice, talk } = setUp();
    const retry = (partition: number, failingForMs: number): void =>
      notice.onRetry({ topic: "t", partition, error: full, failingForMs });
    retry(0, 0);
    retry(0, 2900);
    expect(talk).toEqual([]);
    for (const failingForMs of [3000, 4000]) retry(0, failingForMs);
    retry(1, 4000);
    expect(talk).toEqual(["the disk is full; trying again for 9s (make room)"]);
    notice.onProgress("t", 2);
    notice.onProgress("t", 0);
    expect(talk).toHaveLength(1);
    notice.onProgress("t", 1);
    expect(talk.slice(1)).toEqual(["t-1 works again"]);
    retry(0, 3000);
    expect(talk).toHaveLength(3);
  });

  test("tells of another reason too", () => {
    const { notice, talk } = setUp();
    for (const code of ["A", "B", "A"]) {
      notice.onRetry({
        topic: "t",
        partition: 0,
        error: { code, message: code },
        failingForMs: 5000,
      });
    }
    expect(talk.map((line) => line.slice(0, 1))).toEqual(["A", "B"]);
  });

  test("knows the reason while it is fresh", () => {
    const { notice, clock } = setUp();
    expect(notice.reason()).toBeUndefined();
    notice.onRetry({ topic: "t", partition: 0, error: full, failingForMs: 0 });
    clock.now = 4000;
    expect(notice.reason()).toBe(full);
    clock.now = 6000;
    expect(notice.reason()).toBeUndefined();
  });
});
