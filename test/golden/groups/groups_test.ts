/** What a real Kafka has answered about groups (`kafka_4_1_groups.json`) is what a broker answers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Api, RequestInput, ResponseOf } from "../../../src/api/schema.ts";
import { Connection } from "../../../src/client/connection.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import { type Fixture, startBroker } from "../../broker/broker_fixture.ts";
import { adminCases } from "./admin_cases.ts";
import { BROKER_SETTINGS } from "./broker_settings.ts";
import { cases, type PlayedCase } from "./cases.ts";
import { commitCases } from "./commit_cases.ts";
import { consumerCases } from "./consumer_cases.ts";
import { consumerJoinCases } from "./consumer_join_cases.ts";
import { deviations } from "./deviations.ts";
import { groupConfigCases } from "./group_config_cases.ts";
import { joinCases } from "./join_cases.ts";
import recorded from "./kafka_4_1_groups.json" with { type: "json" };
import { limitCases } from "./limit_cases.ts";
import { memberCases } from "./member_cases.ts";
import { mixedCases } from "./mixed_cases.ts";
import { offsetCases } from "./offset_cases.ts";
import { staticCases } from "./static_cases.ts";
import { type Answer, type Case, type Line, played, type Wire } from "./talk.ts";
import { prepare } from "./topics.ts";

const ADDRESS = { host: "127.0.0.1", port: 9092 };
const ANSWER_TIMEOUT_MS = 60_000;
const TURNS_MAX = 4;

const recordedCases: readonly PlayedCase[] = recorded;
const recordedOf = new Map(recordedCases.map((each) => [each.title, each.answers]));

let fixture: Fixture;
let wire: Wire;
let topicIds: ReadonlyMap<string, Uuid>;
beforeAll(async () => {
  await import("re2js"); // so that its first use needs a few turns only
  fixture = await startBroker(BROKER_SETTINGS);
  wire = wireTo(fixture);
  topicIds = await prepare(wire);
});
afterAll(() => fixture.broker.halt());

function wireTo({ env, clock }: Fixture): Wire {
  const dial = async (): Promise<Line> => {
    const connection = await Connection.open({
      address: ADDRESS,
      clientId: "golden",
      requestTimeoutMs: ANSWER_TIMEOUT_MS,
      env,
    });
    return {
      request: <A extends Api>(
        api: A,
        version: number,
        body: RequestInput<A>,
      ): Promise<ResponseOf<A>> => connection.requestAt(api, version, body),
      close: () => connection.close(),
    };
  };
  return {
    dial,
    wait: async (promise) => {
      await turns(promise);
      return await clock.until(promise);
    },
    settle: () => clock.advance(1),
    pass: (ms) => clock.advance(ms),
  };
}

/** What loads a module, as the first pattern does, needs the world to turn, which no clock can do. */
async function turns(promise: Promise<unknown>): Promise<void> {
  let isSettled = false;
  promise.then(() => isSettled = true, () => isSettled = true);
  for (let turn = 0; turn < TURNS_MAX && !isSettled; turn++) {
    await fixture.clock.settle();
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}

/** What of a case is answered otherwise, in lines; none where all is as it should be. */
async function differences(each: Case): Promise<readonly string[]> {
  const theirs = recordedOf.get(each.title) ?? [];
  const { answers: ours } = await played(each, { wire, topicIds });
  const deviation = deviations[each.title];
  const lines: string[] = [];
  for (let at = 0; at < Math.max(ours.length, theirs.length); at++) {
    const expected = wanted(theirs[at], deviation?.answers[at]);
    const got = ours[at];
    if (expected === undefined && deviation !== undefined) continue;
    const texts = [expected, got].map((answer) => JSON.stringify(comparable(answer)));
    if (texts[0] !== texts[1]) {
      lines.push(`${each.title} #${at}\n  wanted ${texts[0]}\n  got    ${texts[1]}`);
    }
  }
  return lines;
}

/** Kafka's answer, with what mq says otherwise on purpose. */
function wanted(
  theirs: Answer | undefined,
  otherwise: Readonly<Record<string, unknown>> | null | undefined,
): Answer | undefined {
  if (otherwise === null) return undefined;
  if (theirs === undefined || otherwise === undefined) return theirs;
  if (typeof theirs.answer === "string") return { ...theirs, answer: otherwise };
  return { ...theirs, answer: { ...theirs.answer as Record<string, unknown>, ...otherwise } };
}

/**
 * Without the words of messages, which are each broker's own. Where Kafka has any there must be some;
 * where it has none mq may say more of an error, and of success neither has anything to say.
 */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) =>
      key === "errorMessage" ? [key, isMessage(each) ? "some" : "none"] : [key, comparable(each)]
    ),
  );
}

/** On success Kafka's FindCoordinator gives the name of no error for a message. */
function isMessage(text: unknown): boolean {
  return typeof text === "string" && text !== "" && text !== "NONE";
}

const parts: Readonly<Record<string, readonly Case[]>> = {
  "coordinators and the administration of groups": adminCases,
  "joining a classic group": joinCases,
  "static members of a classic group": staticCases,
  "members of a classic group": memberCases,
  "committing offsets": commitCases,
  "reading and deleting offsets": offsetCases,
  "joining a group of the consumer protocol": consumerJoinCases,
  "members of a group of the consumer protocol": consumerCases,
  "both protocols in one group": mixedCases,
  "limits of groups and sessions": limitCases,
  "settings of a group": groupConfigCases,
};

describe("the table of answers about groups", () => {
  test("has every case once, and Kafka's answer to it", () => {
    const titles = cases.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(recordedCases.map(({ title }) => title)).toEqual(titles);
    expect(cases.length).toBeGreaterThan(300);
    const unknown = Object.keys(deviations).filter((title) => !recordedOf.has(title));
    expect(unknown).toEqual([]);
  });

  for (const [name, those] of Object.entries(parts)) {
    test(`is mq's too: ${name}`, async () => {
      const found: string[] = [];
      for (const each of those) found.push(...await differences(each));
      expect(found.join("\n")).toBe("");
    });
  }
});
