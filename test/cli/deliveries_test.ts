/** `Deliveries`: nothing counts as delivered before its bytes are out. */
import { describe, expect, test } from "bun:test";
import { Deliveries } from "../../cli/deliveries.ts";

describe("Deliveries", () => {
  test("tells of a mark when the bytes before it are written", () => {
    const out = { bytesPut: 0, bytesWritten: 0 };
    const told: string[] = [];
    const deliveries = new Deliveries(out, (...mark) => void told.push(mark.join()));
    out.bytesPut = 10;
    deliveries.mark("t", 0, 1);
    out.bytesPut = 20;
    deliveries.mark("t", 1, 5);
    out.bytesWritten = 9;
    deliveries.onWritten();
    expect(told).toEqual([]);
    out.bytesWritten = 10;
    deliveries.onWritten();
    expect(told).toEqual(["t,0,1"]);
    out.bytesWritten = 20;
    deliveries.onWritten();
    deliveries.onWritten();
    expect(told).toEqual(["t,0,1", "t,1,5"]);
    deliveries.mark("t", 1, 6); // nothing was put for it
    expect(told.at(-1)).toBe("t,1,6");
  });

  test("settled() waits for what was put before, not for what comes after", async () => {
    const out = { bytesPut: 10, bytesWritten: 0 };
    const deliveries = new Deliveries(out, () => undefined);
    let isSettled = false;
    const waiting = deliveries.settled().then(() => isSettled = true);
    out.bytesPut = 30;
    out.bytesWritten = 9;
    deliveries.onWritten();
    await Promise.resolve();
    expect(isSettled).toBeFalse();
    out.bytesWritten = 10;
    deliveries.onWritten();
    await waiting;
    out.bytesWritten = 30;
    await deliveries.settled();
  });
});
