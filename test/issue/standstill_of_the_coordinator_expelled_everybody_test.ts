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
