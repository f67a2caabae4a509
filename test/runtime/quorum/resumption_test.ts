/** What a start costs, and when a node that votes alone goes on in its term (`raft/resumption.ts`). */
import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import { textOf } from "../../../src/ground/text.ts";
import type { Entry } from "../../../src/raft/entry.ts";
import { type FoundState, mayResume } from "../../../src/runtime/quorum/raft_storage.ts";
import { type Fixture, startBroker } from "../../broker/broker_fixture.ts";
import type { MemoryDisk } from "../../log/memory_disk.ts";
import { directory, voter, voters } from "../../raft/cluster.ts";

const PATH = "/data/__cluster_metadata-0";
const SETTINGS = { "log.dirs": "/data" };

async function start(disk?: MemoryDisk): Promise<Fixture> {
  return await startBroker(SETTINGS, disk);
}

async function stop({ broker, clock, disk }: Fixture): Promise<MemoryDisk> {
  await clock.until(broker.stop());
  return disk.kill();
}

function termOf({ broker }: Fixture): number {
  return broker.raft?.status().term ?? -1;
}

function votes(disk: MemoryDisk): string {
  return textOf(disk.readWhole(`${PATH}/quorum-state`) ?? new Uint8Array(0));
}

/** Of files and of directories. */
function syncs({ disk }: Fixture): readonly [number, number] {
  return [disk.calls["sync"] ?? 0, disk.calls["syncDirectory"] ?? 0];
}

describe("the start of a node that votes alone", () => {
  test("costs one sync of a file and one of a directory after a clean stop", async () => {
    let disk = await stop(await start());
    for (let life = 0; life < 3; life++) {
      const fixture = await start(disk);
      // Its registration, and that the mark of the clean stop is gone.
      expect(syncs(fixture)).toEqual([1, 1]);
      disk = await stop(fixture);
    }
  });

  test("writes no hints of offsets on an empty directory", async () => {
    // Files: identity, topic id, vote, leader epoch; leader-change, activation, registration.
    expect(syncs(await start())).toEqual([7, 6]);
  });

  test("goes on in its term after a clean stop, and loses nothing of it", async () => {
    const first = await start();
    const term = termOf(first);
    const disk = await stop(first);
    const vote = votes(disk);
    const second = await start(disk);
    expect(termOf(second)).toBe(term);
    expect(votes(second.disk)).toBe(vote);
    expect(second.broker.raft?.status().ignored.size).toBe(0);
    expect(second.broker.isActiveController).toBeTrue();
    expect(second.broker.metadata?.image.brokers()).toHaveLength(1);
  });

  test("is elected anew after a crash, whether or not the disk kept everything", async () => {
    for (const how of ["kill", "crash"] as const) {
      const first = await start(await stop(await start()));
      const term = termOf(first);
      first.broker.halt();
      const second = await start(how === "kill" ? first.disk.kill() : first.disk.crash());
      expect(termOf(second)).toBe(term + 1);
    }
  });

  test("is elected anew after a clean stop that came behind a crash, and goes on from there", async () => {
    const first = await start();
    const term = termOf(first);
    first.broker.halt();
    const second = await start(first.disk.crash());
    const third = await start(await stop(second));
    expect([termOf(second), termOf(third)]).toEqual([term + 1, term + 1]);
  });

  test("is elected anew where the log is not as long as when it was closed", async () => {
    const first = await start();
    const term = termOf(first);
    const disk = await stop(first);
    disk.remove("/data/recovery-point-offset-checkpoint");
    expect(termOf(await start(disk))).toBe(term + 1);
  });

  test("says that its log is damaged where the vote is gone, however clean the stop was", async () => {
    const disk = await stop(await start());
    disk.remove(`${PATH}/quorum-state`);
    await expect(start(disk)).rejects.toThrow("quorum-state is missing");
  });
});

describe("mayResume()", () => {
  const configuration = entry(1, { configuration: voters(1) });
  const found: FoundState = {
    hardState: { term: 7, votedFor: voter(1) },
    snapshot: undefined,
    entries: [entry(0, { isLeaderChange: true }), configuration],
    lastLeader: { id: 1, term: 7 },
    isWhole: true,
  };

  test("is for who led alone in its last term, and has everything", () => {
    expect(mayResume(found, voter(1))).toBeTrue();
  });

  const cases: readonly (readonly [string, Partial<FoundState>])[] = [
    ["something may be missing", { isWhole: false }],
    ["nobody says that nothing is missing", { isWhole: undefined as never }],
    ["the log does not say who led: a snapshot does not", { lastLeader: undefined }],
    ["another node led: it has what this one may lack", { lastLeader: { id: 2, term: 7 } }],
    ["it led in an earlier term", { lastLeader: { id: 1, term: 6 } }],
    ["it was a candidate since", { hardState: { term: 8, votedFor: voter(1) } }],
    ["it voted for another node", { hardState: { term: 7, votedFor: voter(2) } }],
    ["it voted with another disk", { hardState: { term: 7, votedFor: voter(1, "B") } }],
    ["others vote", { entries: [configuration, entry(2, { configuration: voters(1, 2) })] }],
    ["nobody votes by the log", { entries: [entry(0, { isLeaderChange: true })] }],
    ["its disk is not named", { entries: [entry(1, { configuration: unnamed() })] }],
    ["others learn", {
      entries: [entry(1, { configuration: { voters: [voter(1)], learners: [voter(2)] } })],
    }],
    ["others are going", {
      entries: [entry(1, {
        configuration: { voters: [voter(1)], outgoing: [voter(1), voter(2)], learners: [] },
      })],
    }],
  ];
  for (const [reason, more] of cases) {
    test(`not where ${reason}`, () => {
      expect(mayResume({ ...found, ...more }, voter(1))).toBeFalse();
    });
  }

  test("not for another node, nor for its own id with another disk", () => {
    expect(mayResume(found, voter(2))).toBeFalse();
    expect(mayResume(found, voter(1, "B"))).toBeFalse();
  });
});

function entry(baseOffset: number, more: Partial<Entry>): Entry {
  const nextOffset = toOffset(baseOffset + 1);
  return { baseOffset: toOffset(baseOffset), nextOffset, term: 7, byteLength: 1, ...more };
}

function unnamed(): NonNullable<Entry["configuration"]> {
  return { voters: [{ ...voter(1), directoryId: directory("?") }], learners: [] };
}
