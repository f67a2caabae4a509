/** Logs that were cut, and topics that were made anew, under a member of a group (KIP-320). */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import { answering, type FakeBroker } from "./fake_broker.ts";
import type { FakeTopic } from "./fake_cluster.ts";
import { fill } from "./filling.ts";
import { type GroupSetup, setUpGroup } from "./grouping.ts";

const PROTOCOLS: readonly GroupProtocol[] = ["classic", "consumer"];

/** Batches of one record each; what is written is named by offset and leader epoch. */
function write({ cluster }: GroupSetup, count: number): void {
  const partition = cluster.partition("a", 0);
  for (let index = 0; index < count; index++) {
    fill(partition, [`${partition.logEndOffset}e${partition.leaderEpoch}`]);
  }
}

for (const protocol of PROTOCOLS) {
  describe(`A member whose log is cut, ${protocol} protocol`, () => {
    test("commits the leader epoch of the last record that is done", async () => {
      const setup = await setUpGroup({ partitions: 1 });
      const { cluster, clock, member } = setup;
      write(setup, 2);
      cluster.partition("a", 0).leaderEpoch = 3;
      write(setup, 2);
      const one = await member("one", { protocol, commit: "manual" });
      one.mayFinish = false;
      one.start();
      await clock.advance(2000);
      const { offsets, leaderEpochs } = cluster.group("g");
      for (const [done, leaderEpoch] of [[1, 0], [2, 0], [3, 3], [4, 3]] as const) {
        one.consumer.done("a", 0, done);
        await clock.until(one.consumer.commit());
        expect([offsets.get("a 0"), leaderEpochs.get("a 0")]).toEqual([done, leaderEpoch]);
      }
    });

    test("keeps the epoch of a commit behind which it reads nothing", async () => {
      const setup = await setUpGroup({ partitions: 1 });
      const { cluster, clock, member, brokers } = setup;
      cluster.partition("a", 0).leaderEpoch = 2;
      write(setup, 1);
      const one = (await member("one", { protocol })).start();
      await clock.advance(2000);
      await clock.until(one.consumer.close());
      (await member("two", { protocol })).start();
      await clock.advance(2000);
      const [broker] = brokers as [FakeBroker];
      const asked = broker.requestsOf(fetch).at(-1)?.body.topics[0]?.partitions[0];
      expect([asked?.fetchOffset, asked?.lastFetchedEpoch]).toEqual([1, 2]);
    });

    test("goes on where the log differs, if it was cut below the commit and has grown", async () => {
      const setup = await setUpGroup({ partitions: 1 });
      const { cluster, clock, member } = setup;
      write(setup, 4);
      const one = (await member("one", { protocol })).start();
      await clock.advance(2000);
      await clock.until(one.consumer.close());
      cluster.partition("a", 0).cut(2);
      write(setup, 4);
      const two = (await member("two", { protocol, from: { kind: "end" } })).start();
      await clock.advance(8000);
      expect(two.seen).toEqual(["0:2=2e1", "0:3=3e1", "0:4=4e1", "0:5=5e1"]);
      expect(two.events).toEqual(["assigned 0", "offset-reset"]);
      expect(cluster.group("g").offsets.get("a 0")).toBe(6);
    });

    test("follows its rule and says so, where a broker tells only that the offset is gone", async () => {
      for (const kind of ["start", "end"] as const) {
        const setup = await setUpGroup({ partitions: 1 });
        const { cluster, clock, member, brokers } = setup;
        (brokers[0] as FakeBroker).knowsEpochs = false;
        write(setup, 4);
        const one = (await member("one", { protocol, from: { kind: "start" }, onOutOfRange: kind }))
          .start();
        await clock.advance(6000);
        cluster.partition("a", 0).cut(2);
        await clock.advance(6000);
        write(setup, 1);
        await clock.advance(6000);
        const again = kind === "start" ? ["0:0=0e0", "0:1=1e0"] : [];
        expect(one.seen.slice(4)).toEqual([...again, "0:2=2e1"]);
        expect(one.events).toEqual(["assigned 0", "offset-reset"]);
        expect(cluster.group("g").offsets.get("a 0")).toBe(3);
      }
    });

    test("ends where its rule is that this is an error", async () => {
      for (const knowsEpochs of [true, false]) {
        const setup = await setUpGroup({ partitions: 1 });
        const { cluster, clock, member, brokers } = setup;
        (brokers[0] as FakeBroker).knowsEpochs = knowsEpochs;
        write(setup, 4);
        const one = (await member("one", { protocol, onOutOfRange: "error" })).start();
        await clock.advance(2000);
        cluster.partition("a", 0).cut(2);
        expect(await clock.until(one.ended)).toBe("OFFSET_OUT_OF_RANGE");
        await clock.until(one.consumer.close());
      }
    });

    test("does not believe one broker that the offset is not there", async () => {
      const setup = await setUpGroup({ partitions: 1 });
      const { cluster, clock, member, brokers } = setup;
      write(setup, 2);
      const one = (await member("one", { protocol })).start();
      await clock.advance(2000);
      const { topicId } = cluster.topics.get("a") as FakeTopic;
      const nothing = { highWatermark: -1, abortedTransactions: null, records: null };
      const partitions = [{
        partitionIndex: 0,
        errorCode: ErrorCode.OffsetOutOfRange,
        ...nothing,
      }];
      (brokers[0] as FakeBroker).script(
        fetch,
        answering(fetch, { responses: [{ topicId, partitions }] }),
      );
      await clock.advance(2000);
      write(setup, 1);
      await clock.advance(2000);
      expect(one.seen).toEqual(["0:0=0e0", "0:1=1e0", "0:2=2e0"]);
      expect(one.events).toEqual(["assigned 0"]);
    });
  });
}
