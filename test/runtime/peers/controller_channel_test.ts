/** How a node finds the active controller: over scripted controllers, on a clock that the test moves. */
import { describe, expect, test } from "bun:test";
import { allocateProducerIds } from "../../../src/api/own/allocate_producer_ids.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { forward } from "../../../src/api/own/forward.ts";
import { metadataFetch } from "../../../src/api/own/metadata_fetch.ts";
import type { OwnApi } from "../../../src/api/own/own_api.ts";
import type { Address } from "../../../src/env/network.ts";
import { toOffset } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { ZERO_UUID } from "../../../src/ground/uuid.ts";
import { CallFault } from "../../../src/runtime/peers/call_fault.ts";
import {
  type Candidate,
  ControllerChannel,
  type ControllerChannelOptions,
} from "../../../src/runtime/peers/controller_channel.ts";
import { ManualClock } from "../../client/manual_clock.ts";
import { addressOf } from "./fake_node.ts";

const ASKED = { brokerId: 1, brokerEpoch: 5 };
const BLOCK = { errorCode: 0, firstProducerId: 1000, count: 1000 };
const ELSEWHERE = { ...BLOCK, errorCode: ErrorCode.NotController };
const FORWARDED = { frame: new Uint8Array(0), clientId: null };

type Script = (api: string) => unknown;

/** Nodes 1 to 3 are controllers; whoever asks is node 9. */
class Controllers {
  readonly clock = new ManualClock();
  readonly asked: string[] = [];
  readonly scripts = new Map<string, Script>();
  readonly channel: ControllerChannel;

  constructor(changes: Partial<ControllerChannelOptions> = {}) {
    this.channel = new ControllerChannel({
      env: { clock: this.clock, random: new Prng(1) },
      peers: {
        call: <Req, Res>(nodeId: number, api: OwnApi<Req, Res>) => this.#ask<Res>(`${nodeId}`, api),
        callAt: <Req, Res>({ port }: Address, api: OwnApi<Req, Res>) =>
          this.#ask<Res>(`@${port}`, api),
      },
      selfId: 9,
      candidates: () => [1, 2, 3].map((nodeId) => ({ nodeId })),
      timeoutMs: 1000,
      ...changes,
    });
  }

  answer(node: number | string, script: Script): void {
    this.scripts.set(`${node}`, script);
  }

  async #ask<Res>(node: string, api: { readonly name: string }): Promise<Res> {
    this.asked.push(node);
    await Promise.resolve();
    const script = this.scripts.get(node);
    if (script === undefined) throw new CallFault("refused", `${node}: refused`, false);
    return await script(api.name) as Res;
  }
}

async function faultOf(promise: Promise<unknown>): Promise<CallFault> {
  try {
    await promise;
  } catch (thrown) {
    return thrown as CallFault;
  }
  throw new Error("It did not fail");
}

describe("ControllerChannel", () => {
  test("asks the leader that it was told of", async () => {
    const controllers = new Controllers();
    controllers.answer(2, () => BLOCK);
    controllers.channel.setLeader(2, 5);
    const call = controllers.channel.call(allocateProducerIds, ASKED);
    expect(await controllers.clock.until(call)).toEqual(BLOCK);
    expect(controllers.asked).toEqual(["2"]);
  });

  test("asks one after the other until one answers, and follows what it is told", async () => {
    const controllers = new Controllers();
    controllers.answer(2, () => ({ ...ELSEWHERE, leaderId: 3 }));
    controllers.answer(3, () => BLOCK);
    const call = controllers.channel.call(allocateProducerIds, ASKED);
    expect(await controllers.clock.until(call)).toEqual(BLOCK);
    expect(controllers.asked).toEqual(["1", "2", "3"]);
    expect(controllers.channel.leaderId).toBe(3);
    await controllers.clock.until(controllers.channel.call(allocateProducerIds, ASKED));
    expect(controllers.asked).toEqual(["1", "2", "3", "3"]);
  });

  test("forgets a leader that is gone, and asks the others", async () => {
    const controllers = new Controllers();
    controllers.answer(1, () => BLOCK);
    controllers.channel.setLeader(3, 5);
    await controllers.clock.until(controllers.channel.call(allocateProducerIds, ASKED));
    expect(controllers.asked).toEqual(["3", "1"]);
  });

  test("a later term beats an earlier one, whoever tells it", () => {
    const { channel } = new Controllers();
    const leaders: (number | undefined)[] = [];
    const steps: readonly (readonly [number | undefined, number])[] = [
      ...[[1, 5], [2, 4], [undefined, 5], [undefined, 6], [3, 6], [1, 5]] as const,
    ];
    for (const [leaderId, term] of steps) {
      channel.setLeader(leaderId, term);
      leaders.push(channel.leaderId);
    }
    expect(leaders).toEqual([1, 1, 1, undefined, 3, 3]);
  });

  test("asks again at once when a leader is elected, not when its pause is over", async () => {
    const controllers = new Controllers();
    for (const node of [1, 2, 3]) controllers.answer(node, () => ELSEWHERE);
    const call = controllers.channel.call(allocateProducerIds, ASKED);
    await controllers.clock.advance(500);
    controllers.answer(2, () => BLOCK);
    const before = controllers.asked.length;
    controllers.channel.setLeader(2, 7);
    await controllers.clock.settle();
    expect(controllers.asked.slice(before)).toEqual(["2"]);
    expect(await call).toEqual(BLOCK);
  });

  test("gives up when the time is up, with the last reason", async () => {
    const controllers = new Controllers();
    const fault = await controllers.clock.until(
      faultOf(controllers.channel.call(allocateProducerIds, ASKED, { timeoutMs: 700 })),
    );
    expect(fault.message).toMatch(/^[123]: refused$/);
    expect(controllers.clock.monotonicMs()).toBeLessThanOrEqual(1700);
    expect(controllers.asked.length).toBeGreaterThan(3);
    expect(controllers.asked.length).toBeLessThan(20);
  });

  test("says so where there is no controller to ask", async () => {
    const controllers = new Controllers({ candidates: () => [] });
    const call = controllers.channel.call(allocateProducerIds, ASKED);
    expect((await controllers.clock.until(faultOf(call))).kind).toBe("not-found");
  });

  test("asks addresses of which it does not know who is there", async () => {
    const candidates = (): Candidate[] => [1, 2].map((id) => ({ address: addressOf(id) }));
    const controllers = new Controllers({ candidates });
    controllers.answer("@9002", () => ({ ...ELSEWHERE, leaderId: 3 }));
    controllers.answer(3, () => BLOCK);
    await controllers.clock.until(controllers.channel.call(allocateProducerIds, ASKED));
    expect(controllers.asked).toEqual(["@9001", "@9002", "3"]);
  });

  test("does not go over the network to itself", async () => {
    const calls: unknown[] = [];
    const controllers = new Controllers({
      selfId: 2,
      local: <Req, Res>(_api: OwnApi<Req, Res>, request: Req) => {
        calls.push(request);
        return Promise.resolve(BLOCK as Res);
      },
    });
    controllers.channel.setLeader(2, 1);
    await controllers.clock.until(controllers.channel.call(allocateProducerIds, ASKED));
    expect([calls, controllers.asked]).toEqual([[ASKED], []]);
  });

  test("does not wait for itself for ever", async () => {
    const controllers = new Controllers({
      selfId: 2,
      local: <Res>() => new Promise<Res>(() => undefined),
    });
    controllers.channel.setLeader(2, 1);
    const call = faultOf(controllers.channel.call(forward, FORWARDED));
    expect((await controllers.clock.until(call)).kind).toBe("timeout");
  });

  test("asks again what may be repeated, and what was not carried out, and nothing else", async () => {
    const lost = (): never => {
      throw new CallFault("closed", "lost", true);
    };
    const controllers = new Controllers();
    controllers.answer(1, lost);
    controllers.answer(2, () => BLOCK);
    const repeated = controllers.channel.call(allocateProducerIds, ASKED);
    expect(await controllers.clock.until(repeated)).toEqual(BLOCK);

    const others = new Controllers();
    others.answer(1, () => ({ ...ELSEWHERE, frame: FORWARDED.frame, metadataOffset: 0 }));
    others.answer(3, lost);
    const fault = await others.clock.until(faultOf(others.channel.call(forward, FORWARDED)));
    expect([fault.kind, fault.wasSent]).toEqual(["closed", true]);
    expect(others.asked).toEqual(["1", "2", "3"]);
  });

  test("does not wait long for a leader that was deposed", async () => {
    const controllers = new Controllers({ timeoutMs: 60_000 });
    controllers.answer(1, () => new Promise(() => undefined));
    controllers.answer(2, () => BLOCK);
    controllers.channel.setLeader(1, 1);
    const call = controllers.channel.call(allocateProducerIds, ASKED);
    const order = faultOf(controllers.channel.call(forward, FORWARDED));
    await controllers.clock.advance(100);
    controllers.channel.setLeader(2, 2);
    await controllers.clock.advance(1500);
    expect(controllers.asked).toEqual(["1", "1", "2"]);
    expect(await call).toEqual(BLOCK);
    expect((await order).wasSent).toBeTrue();
  });

  test("a call under way ends with close()", async () => {
    const controllers = new Controllers({ timeoutMs: 60_000 });
    controllers.answer(1, () => new Promise(() => undefined));
    controllers.channel.setLeader(1, 1);
    const calls = [
      faultOf(controllers.channel.call(allocateProducerIds, ASKED)),
      faultOf(controllers.channel.call(forward, FORWARDED)),
    ];
    await controllers.clock.settle();
    controllers.channel.close();
    expect((await controllers.clock.until(Promise.all(calls))).length).toBe(2);
    expect(controllers.clock.monotonicMs()).toBeLessThan(3000);
  });

  test("what any controller can answer stays with one until that one fails", async () => {
    const fetched = { errorCode: 0, term: 3, leaderId: 2, commitOffset: toOffset(5) };
    const controllers = new Controllers();
    for (const node of [1, 2, 3]) controllers.answer(node, () => fetched);
    const ask = async (): Promise<void> => {
      const request = {
        offset: toOffset(0),
        lastTerm: 0,
        bytesMax: 1000,
        waitMs: 500,
        nodeId: 9,
        incarnationId: ZERO_UUID,
      };
      await controllers.clock.until(controllers.channel.call(metadataFetch, request));
    };
    await ask();
    await ask();
    expect(controllers.asked).toEqual(["1", "1"]);
    expect(controllers.channel.leaderId).toBe(2); // learned from the answer
    controllers.scripts.delete("1");
    await ask();
    await ask();
    expect(controllers.asked).toEqual(["1", "1", "1", "2", "2"]);
  });
});
