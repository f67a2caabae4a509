/** Static members (KIP-345) of other people's clients: one that is started again costs no rebalance. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import { parseAddress } from "../../src/client/address.ts";
import { Connection } from "../../src/client/connection.ts";
import type { Address } from "../../src/env/network.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { hasTool } from "../harness/process.ts";
import { Feed, PARTITIONS } from "./feed.ts";
import {
  hasKafkaJars,
  Member,
  type MemberProgram,
  staticJava,
  staticKcat,
} from "./group_member.ts";
import { looking } from "./group_scenario.ts";
import { freshTopic, startGroupSubject, type Subject } from "./subject.ts";

/** What the programs say on stderr when they are given other partitions. */
const REBALANCED = /rebalanced/g;

let subject: Subject;
beforeAll(async () => {
  subject = await startGroupSubject();
});
afterAll(() => subject[Symbol.asyncDispose]());

const isJava = await hasKafkaJars();
const programs: readonly {
  readonly title: string;
  readonly isPresent: boolean;
  readonly of: (instance: string) => MemberProgram | Promise<MemberProgram>;
}[] = [
  { title: "kcat", isPresent: await hasTool("kcat"), of: staticKcat },
  ...["classic", "consumer"].map((protocol) => ({
    title: `Java, ${protocol}`,
    isPresent: isJava,
    of: (instance: string): Promise<MemberProgram> => staticJava(protocol, instance),
  })),
];

/** A member that is started again has to be there within its session; a virtual machine takes long. */
const SESSION_MS = 30_000;
const GROUP_RESOURCE = 32;

/** For members of the consumer protocol, whose session is not theirs to choose. */
async function setSession(group: string): Promise<void> {
  const env = createHostEnv();
  const address = parseAddress(subject.kafka) as Address;
  const options = { address, clientId: "settings", requestTimeoutMs: SESSION_MS, env };
  const connection = await Connection.open(options);
  const { responses } = await connection.requestAt(incrementalAlterConfigs, 1, {
    resources: [{
      resourceType: GROUP_RESOURCE,
      resourceName: group,
      configs: [{
        name: "consumer.session.timeout.ms",
        configOperation: 0,
        value: String(SESSION_MS),
      }],
    }],
    validateOnly: false,
  });
  connection.close();
  expect(responses.map(({ errorCode }) => errorCode)).toEqual([0]);
}

function valuesOf(...members: readonly Member[]): number {
  return new Set(members.flatMap((member) => member.read().map(({ value }) => value))).size;
}

function rebalances(member: Member): number {
  return [...member.process.stderr().matchAll(REBALANCED)].length;
}

function partitionsOf(member: Member, fromValue: number): readonly number[] {
  const lines = member.read().filter(({ value }) => Number(value) >= fromValue);
  return [...new Set(lines.map(({ partition }) => partition))].sort();
}

describe("a static member that is started again has its partitions, and nobody else is told", () => {
  for (const { title, isPresent, of } of programs) {
    test.skipIf(!isPresent)(title, async () => {
      await using feed = await Feed.open(subject.kafka, freshTopic("static"));
      const { topic } = feed;
      const place = { broker: subject.kafka, group: `${topic}-group`, topic };
      await setSession(place.group);
      await using stays = new Member(await of("stays"), place);
      feed.start();
      await looking("the first has all", () => partitionsOf(stays, 0).length === PARTITIONS);
      await using goes = new Member(await of("goes"), place);
      let mark = 0;
      await looking("both have half of the partitions", () => {
        const halves = [stays, goes].map((member) => partitionsOf(member, mark).length);
        if (halves.some((count) => count > PARTITIONS / 2)) mark = feed.count;
        return halves.every((count) => count === PARTITIONS / 2);
      });
      const before = [rebalances(stays), ...partitionsOf(stays, mark)];
      const had = partitionsOf(goes, mark);
      expect(rebalances(stays)).toBeGreaterThan(0);

      await feed.stop();
      await looking("all is read", () => valuesOf(stays, goes) === feed.count);
      await goes.leave();
      const gone = feed.count;
      feed.start();
      await using comesBack = new Member(await of("goes"), place);
      await looking("it reads again", () => partitionsOf(comesBack, gone).length === had.length);
      expect(partitionsOf(comesBack, gone)).toEqual(had);
      await feed.stop();
      await looking("every record is read", () => {
        return valuesOf(stays, goes, comesBack) === feed.count;
      });
      expect([rebalances(stays), ...partitionsOf(stays, mark)]).toEqual(before);
    });
  }
});
