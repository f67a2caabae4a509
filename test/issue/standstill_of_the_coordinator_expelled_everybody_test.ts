/**
 * A coordinator that had stood still for longer than a session (a paused machine, a stopped process) took
 * all members to be silent before it had read what they had sent meanwhile: every group was empty.
 */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import { becomeMember, startWithGroups } from "../broker/group_requests.ts";

const HEARTBEAT_VERSION = 4;
const STANDSTILL_MS = 120_000;

describe("after a standstill of the coordinator", () => {
  test("members are heard before anybody is taken to be silent", async () => {
    const fixture = await startWithGroups();
    const { connection, clock } = fixture;
    const { memberId, generationId } = await becomeMember(fixture, "g");
    const beat = { groupId: "g", memberId, generationId };
    clock.leap(STANDSTILL_MS);
    await clock.advance(0);
    expect((await connection.ask(heartbeat, HEARTBEAT_VERSION, beat)).errorCode)
      .toBe(ErrorCode.None);
    await clock.advance(6000);
    expect((await connection.ask(heartbeat, HEARTBEAT_VERSION, beat)).errorCode)
      .toBe(ErrorCode.None);
  });

  test("so are all others, when one of them is heard before any timer", async () => {
    const fixture = await startWithGroups({ "offsets.topic.num.partitions": "1" });
    const { connection, clock } = fixture;
    const first = await becomeMember(fixture, "g");
    await clock.advance(100);
    const second = await becomeMember(fixture, "h");
    clock.leap(STANDSTILL_MS);
    for (const [groupId, { memberId, generationId }] of [["g", first], ["h", second]] as const) {
      const beat = { groupId, memberId, generationId };
      // deno-lint-ignore no-await-in-loop -- one after the other
      const { errorCode } = await connection.ask(heartbeat, HEARTBEAT_VERSION, beat);
      expect(errorCode).toBe(ErrorCode.None);
      // deno-lint-ignore no-await-in-loop -- the other one's session is over by now
      await clock.advance(0);
    }
  });

  test("who stays silent is expelled a little later", async () => {
    const fixture = await startWithGroups();
    const { connection, clock } = fixture;
    const { memberId, generationId } = await becomeMember(fixture, "g");
    clock.leap(STANDSTILL_MS);
    await clock.advance(6000);
    const beat = { groupId: "g", memberId, generationId };
    expect((await connection.ask(heartbeat, HEARTBEAT_VERSION, beat)).errorCode)
      .toBe(ErrorCode.UnknownMemberId);
  });
});
