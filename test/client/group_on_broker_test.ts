import { describe, expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import { startBroker } from "../broker/broker_fixture.ts";
import { Member } from "./grouping.ts";
import { valued } from "./harness.ts";

const PROTOCOLS: readonly GroupProtocol[] = ["classic", "consumer"];

for (const protocol of PROTOCOLS) {
  describe(`GroupConsumer on a whole broker, ${protocol} protocol`, () => {
    test("members share, leave, and the rest goes on behind what was committed", async () => {
      const { broker, clock, env } = await startBroker();
      const brokers = [{ host: "127.0.0.1", port: 9092 }];
      const client = await clock.until(connect({ brokers, env }));
      await clock.until(client.admin.createTopics([{ name: "a", partitions: 4 }]));
      const producer = client.producer();
      const produce = async (value: string): Promise<void> => {
        for (let partition = 0; partition < 4; partition++) {
          await clock.until(producer.send("a", { ...valued(value), partition }));
        }
      };
      const member = async (name: string): Promise<Member> => {
        const own = await clock.until(connect({ brokers, env, clientId: name }));
        const start = { groupId: "g", topics: ["a"], from: { kind: "start" }, protocol } as const;
        return new Member(name, own, start).start();
      };
      await produce("1");
      const one = await member("one");
      await clock.advance(20_000);
      expect(one.partitions).toEqual([0, 1, 2, 3]);
      const two = await member("two");
      await clock.advance(20_000);
      expect([one.partitions.length, two.partitions.length]).toEqual([2, 2]);
      await produce("2");
      await clock.advance(2000);
      await clock.until(one.consumer.close());
      await clock.advance(20_000);
      await produce("3");
      await clock.advance(10_000);
      const wanted = [0, 1, 2, 3].flatMap((partition) =>
        [1, 2, 3].map((value) => `${partition}:${value - 1}=${value}`)
      );
      expect([...one.seen, ...two.seen].sort()).toEqual(wanted.sort());
      const [group] = await clock.until(client.admin.groups.describeGroups(["g"]));
      expect([group?.type, group?.state, group?.members.length]).toEqual([protocol, "Stable", 1]);
      const { partitions } = await clock.until(client.admin.groups.groupLag("g"));
      expect(partitions.map(({ committed, lag }) => [committed, lag]))
        .toEqual([[3, 0], [3, 0], [3, 0], [3, 0]]);
      await clock.until(two.consumer.close());
      await clock.until(client.close());
      await clock.until(broker.stop());
    });

    test("a topic that is deleted and made anew is read from its start, all of it once", async () => {
      const { broker, clock, env } = await startBroker();
      const brokers = [{ host: "127.0.0.1", port: 9092 }];
      const client = await clock.until(connect({ brokers, env }));
      const produce = async (values: readonly string[]): Promise<void> => {
        const producer = client.producer({ lingerMs: 0 });
        for (const value of values) {
          await clock.until(producer.send("a", { ...valued(value), partition: 0 }));
        }
        await clock.until(producer.close());
      };
      await clock.until(client.admin.createTopics([{ name: "a", partitions: 1 }]));
      await produce(["1", "2", "3"]);
      const own = await clock.until(connect({ brokers, env, clientId: "one" }));
      const start = { groupId: "g", topics: ["a"], from: { kind: "start" }, protocol } as const;
      const one = new Member("one", own, start).start();
      await clock.advance(20_000);
      expect(one.seen).toEqual(["0:0=1", "0:1=2", "0:2=3"]);
      await clock.until(client.admin.deleteTopics(["a"]));
      await clock.until(client.admin.createTopics([{ name: "a", partitions: 1 }]));
      await produce(["A", "B", "C", "D", "E"]);
      await clock.advance(60_000);
      expect(one.seen.slice(3)).toEqual(["0:0=A", "0:1=B", "0:2=C", "0:3=D", "0:4=E"]);
      const { partitions } = await clock.until(client.admin.groups.groupLag("g"));
      expect(partitions.map(({ committed, lag }) => [committed, lag])).toEqual([[5, 0]]);
      await clock.until(one.consumer.close());
      await clock.until(own.close());
      await clock.until(client.close());
      await clock.until(broker.stop());
    });
  });
}
