/**
 * Carries the questions of a membership to its coordinator and the answers back.
 *
 * Not here: trying again, which the machine decides when it hears that a question failed.
 */
import { consumerGroupHeartbeat } from "../api/consumer_group_heartbeat.ts";
import { heartbeat } from "../api/heartbeat.ts";
import { joinGroup } from "../api/join_group.ts";
import { leaveGroup } from "../api/leave_group.ts";
import { syncGroup } from "../api/sync_group.ts";
import { errorFrom } from "./client_error.ts";
import { isElsewhere, isPassing } from "./group/group_errors.ts";
import type { LeaveRequest, MembershipAnswer, MembershipAsk } from "./group/membership.ts";
import type { GroupMember } from "./group_member.ts";
import { backoffMs, sleep, within } from "./retry.ts";

const LEAVE_MS = 5000;

export class GroupCalls {
  readonly #member: GroupMember;

  constructor(member: GroupMember) {
    this.#member = member;
  }

  async ask(ask: MembershipAsk): Promise<void> {
    const { membership, link, signal, now, fail, onChange } = this.#member;
    try {
      const answer = await this.#answerTo(ask);
      if (isElsewhere(answer.response.errorCode)) link.forget();
      membership.answered(now(), answer);
    } catch (thrown) {
      const error = errorFrom(thrown, "Cannot ask the coordinator");
      if (error.code === "ABORTED" && signal.aborted) return;
      if (error.code !== "ABORTED" && !error.retriable) {
        fail(error);
        return;
      }
      membership.failed(now(), ask);
    }
    onChange();
  }

  /**
   * In a hurry, and not behind a JoinGroup that waits for its answer. Said again where the coordinator is
   * another one by now: else the group waits for this member until its session has timed out.
   */
  async tell(request: LeaveRequest): Promise<void> {
    const { tools } = this.#member;
    const { clock, random, trace } = tools.env;
    const timeoutMs = Math.min(LEAVE_MS, tools.requestTimeoutMs);
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    try {
      for (let attempt = 1;; attempt++) {
        const leftMs = Math.max(deadlineMs - clock.monotonicMs(), 1);
        const telling = this.#tellOnce(request, leftMs);
        const errorCode = await within(clock, leftMs, telling, "Cannot leave");
        if (!isPassing(errorCode)) return;
        await sleep(clock, backoffMs(attempt, random), tools.signal);
      }
    } catch (thrown) {
      const { message } = errorFrom(thrown, "Cannot leave");
      trace.event("info", "group was not told of the leave", { reason: message });
    }
  }

  async #tellOnce(request: LeaveRequest, timeoutMs: number): Promise<number> {
    const { link } = this.#member;
    const connection = await link.connection("main");
    const { errorCode } = request.what === "leave"
      ? await connection.request(leaveGroup, request.body, { timeoutMs })
      : await connection.request(consumerGroupHeartbeat, request.body, { timeoutMs });
    if (isElsewhere(errorCode)) link.forget();
    return errorCode;
  }

  async #answerTo(ask: MembershipAsk): Promise<MembershipAnswer> {
    const { tools, link, signal } = this.#member;
    const { life } = ask;
    const options = { timeoutMs: tools.requestTimeoutMs + ask.extraMs, signal };
    switch (ask.what) {
      case "join":
        return { what: "join", life, response: await link.ask(joinGroup, ask.body, options) };
      case "sync":
        return { what: "sync", life, response: await link.ask(syncGroup, ask.body, options) };
      case "heartbeat":
        return { what: "heartbeat", life, response: await link.ask(heartbeat, ask.body, options) };
      case "consumer-heartbeat": {
        const response = await link.ask(consumerGroupHeartbeat, ask.body, options);
        return { what: "consumer-heartbeat", life, response };
      }
    }
  }
}
