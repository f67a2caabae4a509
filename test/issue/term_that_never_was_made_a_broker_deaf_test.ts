/**
 * One answer of a controller with an enormous term, and every later leader was of an earlier term: the
 * broker asked the wrong one for ever, and told its clients of it.
 */
import { expect, test } from "bun:test";
import { allocateProducerIds } from "../../src/api/own/allocate_producer_ids.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import type { MetadataFetchResponse } from "../../src/api/own/metadata_fetch.ts";
import type { OwnApi } from "../../src/api/own/own_api.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { toOffset } from "../../src/ground/numbers.ts";
import { Prng } from "../../src/ground/prng.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { CallFault } from "../../src/runtime/peers/call_fault.ts";
import { ControllerChannel } from "../../src/runtime/peers/controller_channel.ts";
import { MetadataFollower } from "../../src/runtime/quorum/metadata_follower.ts";
import { ManualClock } from "../client/manual_clock.ts";

const HUGE = 0x7fff_ffff;
const LIAR = 3;
const BLOCK = { errorCode: 0, firstProducerId: 1000, count: 1000 };

function channelOver(clock: ManualClock, answers: ReadonlyMap<number, unknown>): ControllerChannel {
  return new ControllerChannel({
    env: { clock, random: new Prng(1) },
    peers: {
      call: <Req, Res>(nodeId: number, _api: OwnApi<Req, Res>) => {
        const answer = answers.get(nodeId);
        return answer === undefined
          ? Promise.reject(new CallFault("refused", `node ${nodeId} is not there`, false))
          : Promise.resolve(answer as Res);
      },
      callAt: () => Promise.reject(new CallFault("not-found", "there is no such address", false)),
    },
    selfId: 9,
    candidates: () => [1, 2, LIAR].map((nodeId) => ({ nodeId })),
    timeoutMs: 1000,
  });
}

test("a term out of reach is not believed where one is known", () => {
  const channel = channelOver(new ManualClock(), new Map());
  channel.setLeader(1, 7);
  channel.setLeader(LIAR, HUGE);
  expect(channel.leaderId).toBe(1);
  channel.setLeader(2, 8);
  expect(channel.leaderId).toBe(2);
});

test("a leader of such a term is asked once; then later leaders are heard of", async () => {
  const clock = new ManualClock();
  const elsewhere = { ...BLOCK, errorCode: ErrorCode.NotController, leaderId: 1 };
  const channel = channelOver(clock, new Map([[1, BLOCK], [2, BLOCK], [LIAR, elsewhere]]));
  channel.setLeader(LIAR, HUGE);
  channel.setLeader(1, 7);
  expect(channel.leaderId).toBe(LIAR); // which of the two is wrong is not known yet
  await clock.until(channel.call(allocateProducerIds, { brokerId: 9, brokerEpoch: 1 }));
  channel.setLeader(2, 8);
  expect(channel.leaderId).toBe(2);
});

test("a follower tells of the real leader once nobody repeats the lie", async () => {
  const clock = new ManualClock();
  const honest: MetadataFetchResponse = {
    errorCode: 0,
    commitOffset: toOffset(0),
    leaderId: 1,
    term: 7,
  };
  const lie: MetadataFetchResponse = { ...honest, leaderId: LIAR, term: HUGE };
  let answers = [lie];
  let asked = 0;
  const follower = new MetadataFollower({
    clock,
    random: new Prng(1),
    trace: { event: () => undefined },
    crc32c: crc32cTables,
    source: {
      fetch: async ({ waitMs }) => {
        await new Promise<void>((resolve) => clock.after(waitMs, resolve));
        return answers[asked++ % answers.length] as MetadataFetchResponse;
      },
      fetchSnapshot: () => Promise.reject(new CallFault("refused", "there is none", false)),
    },
    nodeId: 9,
    incarnationId: ZERO_UUID,
    onCorrupt: () => undefined,
  });
  const heard: (number | undefined)[] = [];
  follower.onLeader(() => heard.push(follower.leader()?.id));
  follower.start();
  await clock.until(follower.caughtUp());
  expect(follower.leader()).toEqual({ id: LIAR, term: HUGE });
  answers = [honest];
  await clock.advance(20_000);
  expect(follower.leader()).toEqual({ id: 1, term: 7 });
  answers = [lie, honest];
  await clock.advance(60_000);
  expect(heard).toEqual([LIAR, 1]);
  follower.stop();
});
