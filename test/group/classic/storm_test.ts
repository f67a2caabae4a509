/**
 * A thousand members that come, heartbeat and go at once: what it costs is counted, in answers, in
 * records and in how often the group is woken. None of them may grow faster than the members do.
 */
import { describe, expect, test } from "bun:test";
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import { type Ms, toMs } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { bytesOf } from "../../../src/ground/text.ts";
import { ClassicGroup } from "../../../src/group/classic/classic_group.ts";
import { DEFAULT_GROUP_SETTINGS, defaultGroupConfig } from "../../../src/group/group_settings.ts";
import type { Turn } from "../../../src/group/turn.ts";
import { ClusterImage } from "../../../src/metadata/image.ts";
import type { JoinAnswer } from "./world.ts";

interface Cost {
  replies: number;
  records: number;
  wakes: number;
}

/** The plainest driver there can be, so that what is counted is the group's. */
class Storm {
  readonly group = ClassicGroup.created("g");
  readonly cost: Cost = { replies: 0, records: 0, wakes: 0 };
  now = toMs(1_000_000);
  readonly #members = new Map<string, { generation: number; isLeader: boolean }>();
  readonly #random = new Prng(1);
  readonly #image = new ClusterImage();

  join(name: string, memberId: string): JoinAnswer | undefined {
    let answer: JoinAnswer | undefined;
    const body = {
      groupId: "g",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId,
      groupInstanceId: null,
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: bytesOf(name) }],
      reason: null,
    };
    const caller = { apiVersion: 9, clientId: name, clientHost: "/host" };
    this.turn((turn) =>
      this.group.join(turn, { kind: "JoinGroup", body, caller }, {
        id: 0,
        // Answers of later turns come to the same place.
        ...{ give: (response: JoinAnswer) => (answer = response, this.#joined(response)) },
      })
    );
    return answer;
  }

  #joined({ errorCode, memberId, leader, generationId = -1 }: JoinAnswer): void {
    if (errorCode !== 0) return;
    this.#members.set(memberId, { generation: generationId, isLeader: leader === memberId });
  }

  /** Everybody comes, with the round for an id, and the generation is made. */
  gather(count: number): readonly string[] {
    const ids = Array.from({ length: count }, (_, index) => {
      return this.join(`c${index}`, "")?.memberId ?? "";
    });
    ids.forEach((id, index) => this.join(`c${index}`, id));
    this.wakeUntil(() => this.group.state() === "CompletingRebalance");
    return ids;
  }

  syncAll(ids: readonly string[]): void {
    const caller = { apiVersion: 5, clientId: "c", clientHost: "/host" };
    for (const memberId of ids) {
      const { generation, isLeader } = this.#members.get(memberId) ?? NOBODY;
      const body = {
        groupId: "g",
        generationId: generation,
        memberId,
        groupInstanceId: null,
        protocolType: "consumer",
        protocolName: "range",
        assignments: isLeader ? ids.map((id) => ({ memberId: id, assignment: bytesOf(id) })) : [],
      };
      this.turn((turn) =>
        this.group.sync(turn, { kind: "SyncGroup", body, caller }, { id: 0, ...NOWHERE })
      );
    }
  }

  heartbeat(memberId: string): void {
    const caller = { apiVersion: 4, clientId: "c", clientHost: "/host" };
    const { generation } = this.#members.get(memberId) ?? NOBODY;
    const body = { groupId: "g", generationId: generation, memberId, groupInstanceId: null };
    this.turn((turn) =>
      this.group.heartbeat(turn, { kind: "Heartbeat", body, caller }, { id: 0, ...NOWHERE })
    );
  }

  leave(memberId: string): void {
    const caller = { apiVersion: 5, clientId: "c", clientHost: "/host" };
    const members = [{ memberId, groupInstanceId: null, reason: null }];
    const body = { groupId: "g", memberId: "", members };
    this.turn((turn) =>
      this.group.leave(turn, { kind: "LeaveGroup", body, caller }, { id: 0, ...NOWHERE })
    );
  }

  wakeUntil(isDone: () => boolean): void {
    while (!isDone()) {
      const at = this.group.wakeAt;
      if (at === undefined) throw new Error("nothing will ever happen");
      this.now = Math.max(at, this.now) as Ms;
      this.cost.wakes += 1;
      this.turn((turn) => this.group.wake(turn));
    }
  }

  wakeDue(): void {
    while ((this.group.wakeAt ?? Infinity) <= this.now) {
      this.cost.wakes += 1;
      this.turn((turn) => this.group.wake(turn));
    }
  }

  turn(act: (turn: Turn) => void): void {
    const records: GroupRecord[] = [];
    act({
      now: this.now,
      settings: { ...DEFAULT_GROUP_SETTINGS, groupInitialRebalanceDelayMs: 3000 },
      image: this.#image,
      random: this.#random,
      regexes: { compile: () => undefined },
      configOf: () => defaultGroupConfig(DEFAULT_GROUP_SETTINGS),
      write: (record) => void records.push(record),
      become: () => {},
      reply: (token, response) => {
        this.cost.replies += 1;
        (token as unknown as { give(response: unknown): void }).give(response);
      },
    });
    this.cost.records += records.length;
    for (const record of records) {
      if (record.kind === "GroupMetadata") this.group.replayMetadata(record.value);
    }
  }
}

const NOBODY = { generation: -1, isLeader: false };
const NOWHERE = { give: (): void => {} };

/** They come, heartbeat for a minute every three seconds, half of them fall silent, the rest leaves. */
export function storm(count: number): Cost {
  const run = new Storm();
  const ids = run.gather(count);
  run.syncAll(ids);
  for (let round = 0; round < 20; round++) {
    run.now = toMs(run.now + 3000);
    for (const id of ids) run.heartbeat(id);
    run.wakeDue();
  }
  if (run.group.state() !== "Stable") throw new Error(`it is ${run.group.state()}`);
  const [silent, loud] = [ids.slice(0, count / 2), ids.slice(count / 2)];
  while (run.group.memberCount > loud.length) {
    run.now = toMs(run.now + 3000);
    for (const id of loud) run.heartbeat(id);
    run.wakeDue();
  }
  for (const id of silent) run.heartbeat(id);
  loud.forEach((id) => run.leave(id));
  if (run.group.state() !== "Empty") throw new Error(`it is ${run.group.state()}`);
  return run.cost;
}

describe("a storm", () => {
  test("of a thousand members costs each of them the same as a storm of a hundred", () => {
    const [few, many] = [storm(100), storm(1000)];
    expect(many.records).toBe(few.records);
    expect(many.replies / 1000).toBeLessThanOrEqual(few.replies / 100);
    // Sessions that end at the same time are looked at in the same turn.
    expect(many.wakes).toBeLessThanOrEqual(few.wakes * 2);
  });

  test("leaves nothing behind in an empty group", () => {
    const run = new Storm();
    const ids = run.gather(1000);
    run.syncAll(ids);
    ids.forEach((id) => run.leave(id));
    expect(run.group.state()).toBe("Empty");
    expect(run.group.wakeAt).toBeUndefined();
    expect(run.cost.records).toBe(3);
  });
});
