/** What becomes of a request that another node has to decide about, as the broker that has it sees it. */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { ForwardRequest, ForwardResponse } from "../../src/api/own/forward.ts";
import { Forwarder } from "../../src/broker/forwarder.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { CallFault } from "../../src/runtime/peers/call_fault.ts";
import type { ControllerCalls } from "../../src/runtime/peers/controller_channel.ts";
import { NotController } from "../../src/runtime/quorum/not_controller.ts";

const FRAME = Uint8Array.of(1, 2, 3);
const FRAME_BYTES_MAX = 4096;

interface Given {
  readonly forwarder: Forwarder;
  readonly asked: ForwardRequest[];
  /** Offsets that the answer waited for. */
  readonly awaited: number[];
}

function forwarderWith(
  answer: () => Partial<ForwardResponse>,
  hasApplied = true,
): Given {
  const asked: ForwardRequest[] = [];
  const awaited: number[] = [];
  const calls = {
    leaderId: 2,
    call: (_api: unknown, request: ForwardRequest) => {
      asked.push(request);
      return Promise.resolve().then(() => ({
        errorCode: ErrorCode.None,
        frame: Uint8Array.of(9),
        metadataOffset: toOffset(41),
        ...answer(),
      }));
    },
  } as unknown as ControllerCalls;
  const view = {
    whenApplied: (offset: number) => {
      awaited.push(offset);
      return Promise.resolve(hasApplied);
    },
  };
  const options = { calls, view: view as never, followMs: 100, frameBytesMax: FRAME_BYTES_MAX };
  return { forwarder: new Forwarder(options), asked, awaited };
}

function throwing(error: Error): () => never {
  return () => {
    throw error;
  };
}

async function refusalOf({ forwarder }: Given, frame = FRAME): Promise<number | undefined> {
  const forwarded = await forwarder.forward(frame, "me");
  return forwarded.kind === "refused" ? forwarded.refusal.errorCode : undefined;
}

describe("Forwarder", () => {
  test("passes the request on as it is, and answers when the node knows what was decided", async () => {
    const given = forwarderWith(() => ({}));
    expect(await given.forwarder.forward(FRAME, "me"))
      .toEqual({ kind: "answer", frame: Uint8Array.of(9) });
    expect(given.asked).toEqual([{ frame: FRAME, clientId: "me" }]);
    expect(given.awaited).toEqual([41]);
  });

  test("answers all the same where the node does not get there in time", async () => {
    const given = forwarderWith(() => ({}), false);
    expect((await given.forwarder.forward(FRAME, null)).kind).toBe("answer");
  });

  test("names the node that was asked, and what it said", async () => {
    const said = "node 2: no answer to Forward in 15000 ms";
    const { forwarder } = forwarderWith(throwing(new CallFault("timeout", said, true)));
    const forwarded = await forwarder.forward(FRAME, null);
    expect(forwarded.kind === "refused" ? forwarded.refusal.errorMessage : "").toBe(
      `The active controller did not answer in time: it may have been decided. (${said})`,
    );
  });

  test("says that nothing was decided only where that is sure", async () => {
    const definite = [
      forwarderWith(throwing(new CallFault("refused", "no", false))),
      forwarderWith(throwing(new NotController(3, true))),
      forwarderWith(() => ({ errorCode: ErrorCode.NotController })),
    ];
    for (const given of definite) expect(await refusalOf(given)).toBe(ErrorCode.NotController);
    const unknown = [
      forwarderWith(throwing(new CallFault("timeout", "no answer", true))),
      forwarderWith(throwing(new NotController(3, false))),
      forwarderWith(() => ({ errorCode: ErrorCode.RequestTimedOut })),
    ];
    for (const given of unknown) {
      expect(await refusalOf(given)).toBe(ErrorCode.RequestTimedOut);
      expect(given.asked).toHaveLength(1); // and it is not asked again
    }
    await expect(forwarderWith(throwing(new Error("a bug"))).forwarder.forward(FRAME, null))
      .rejects.toThrow("a bug");
  });

  test("keeps back what the controller would close the connection for", async () => {
    const given = forwarderWith(() => ({}));
    expect(await refusalOf(given, new Uint8Array(FRAME_BYTES_MAX))).toBe(ErrorCode.PolicyViolation);
    const longName = "é".repeat(1200);
    const forwarded = await given.forwarder.forward(new Uint8Array(1000), longName);
    expect(forwarded.kind).toBe("refused");
    expect(given.asked).toEqual([]);
    expect(await refusalOf(given, new Uint8Array(FRAME_BYTES_MAX - 300))).toBeUndefined();
  });

  test("tells of an answer that was too large, and of a version that is not known there", async () => {
    for (const errorCode of [ErrorCode.PolicyViolation, ErrorCode.UnsupportedVersion]) {
      expect(await refusalOf(forwarderWith(() => ({ errorCode })))).toBe(errorCode);
    }
  });
});
