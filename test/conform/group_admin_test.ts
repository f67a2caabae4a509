/** Groups seen and changed from outside: by kafkajs' admin, and by Kafka's own tool where it is there. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Feed, PARTITIONS } from "./feed.ts";
import { hasKafkaJars, kafkaTool, Member, npmMembers, type Place } from "./group_member.ts";
import { looking } from "./group_scenario.ts";
import { freshTopic, startGroupSubject, type Subject, withAdmin } from "./subject.ts";

const ROUNDS = 5;
const TOOL = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";

const isKafka = await hasKafkaJars();

let subject: Subject;
beforeAll(async () => {
  subject = await startGroupSubject();
});
afterAll(() => subject[Symbol.asyncDispose]());

interface Scene extends AsyncDisposable {
  readonly place: Place;
  readonly member: Member;
}

/** A group of one kafkajs member that has read everything. */
async function scene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const feed = stack.use(await Feed.open(subject.kafka, freshTopic("admin")));
  const { topic } = feed;
  const place = { broker: subject.kafka, group: `${topic}-group`, topic };
  const [program = { title: "", before: [] }] = npmMembers;
  const member = stack.use(new Member(program, place));
  for (let round = 1; round < ROUNDS; round++) await feed.round();
  await looking("all is read", () => member.read().length >= feed.count);
  const owned = stack.move();
  return { place, member, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe("kafkajs admin", () => {
  test("lists and describes groups, sets and resets offsets, deletes", async () => {
    await using made = await scene();
    const { group: groupId, topic } = made.place;
    await withAdmin(subject, async (admin) => {
      const { groups } = await admin.listGroups();
      expect(groups.find((each) => each.groupId === groupId)?.protocolType).toBe("consumer");
      const [live] = (await admin.describeGroups([groupId])).groups;
      expect([live?.state, live?.protocolType, live?.members.length]).toEqual([
        "Stable",
        "consumer",
        1,
      ]);
      expect(live?.members[0]?.clientId).toBe("kafkajs");
      await expect(admin.deleteGroups([groupId])).rejects.toThrow();
      await made.member.leave();
      const offsets = async (): Promise<readonly string[]> => {
        const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
        return (found?.partitions ?? []).toSorted((one, other) => one.partition - other.partition)
          .map(({ offset }) => offset);
      };
      expect(await offsets()).toEqual(Array.from({ length: PARTITIONS }, () => String(ROUNDS)));
      await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: "2" }] });
      expect((await offsets())[0]).toBe("2");
      await admin.resetOffsets({ groupId, topic, earliest: true });
      // What kafkajs means by "earliest" is resolved by its consumer: the broker keeps the word.
      expect((await offsets())[1]).toBe("-2");
      await admin.deleteGroups([groupId]);
      expect(await offsets()).toEqual(Array.from({ length: PARTITIONS }, () => "-1"));
      const after = await admin.listGroups();
      expect(after.groups.map((each) => each.groupId)).not.toContain(groupId);
    });
  });
});

describe("Kafka's kafka-consumer-groups", () => {
  const tool = (...words: readonly string[]): Promise<string> =>
    kafkaTool(TOOL, ["--bootstrap-server", subject.kafka, ...words]);

  test.skipIf(!isKafka)("describes, resets and deletes a group", async () => {
    await using made = await scene();
    const { group, topic } = made.place;
    const of = ["--group", group];
    expect(await tool("--list")).toMatch(group);
    const live = await tool("--describe", ...of);
    expect(live).toMatch(new RegExp(`${topic} +5 +${ROUNDS} +${ROUNDS} +0 +kafkajs-`));
    expect(await tool("--describe", "--members", ...of)).toMatch(/kafkajs .* 6 *$/m);
    expect(await tool("--describe", "--state", ...of)).toMatch(/Stable +1/);
    const reset = ["--reset-offsets", "--to-earliest", "--topic", topic, "--execute", ...of];
    expect(await tool(...reset)).toMatch(/only be reset if the group .* is inactive/);
    await made.member.leave();
    await tool(...reset);
    const empty = await tool("--describe", ...of);
    expect(empty).toMatch(new RegExp(`${topic} +5 +0 +${ROUNDS} +${ROUNDS} +-`));
    await tool("--delete-offsets", "--topic", `${topic}:0`, ...of);
    expect(await tool("--describe", ...of)).not.toMatch(new RegExp(`${topic} +0 +0`));
    expect(await tool("--delete", ...of)).toMatch(/successful/);
    expect(await tool("--list")).not.toMatch(group);
  });
});
