/** Groups of other people's clients; each client's part runs beside the others, since most is waiting. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hasTool } from "../harness/process.ts";
import { Feed } from "./feed.ts";
import {
  kcatMember,
  Member,
  type MemberProgram,
  npmMembers,
  otherMembers,
} from "./group_member.ts";
import { looking, membersComeAndGo } from "./group_scenario.ts";
import { freshTopic, startGroupSubject, type Subject } from "./subject.ts";

const isKcat = await hasTool("kcat");
const programs = [
  ...npmMembers.map((program) => ({ program, isPresent: true })),
  ...["range", "roundrobin", "cooperative-sticky"].map((assignor) => ({
    program: kcatMember(assignor),
    isPresent: isKcat,
  })),
  ...await otherMembers(),
];
/** So many at a time: a member that gets no processor is taken for dead. */
const CONCURRENT_MAX = 4;

let subject: Subject;
const outcomes = new Map<MemberProgram, PromiseWithResolvers<void>>();
beforeAll(async () => {
  subject = await startGroupSubject();
  const left = programs.filter(({ isPresent }) => isPresent).map(({ program }) => program);
  for (const program of left) {
    const outcome = Promise.withResolvers<void>();
    outcome.promise.catch(() => undefined); // its own test tells
    outcomes.set(program, outcome);
  }
  for (let count = 0; count < CONCURRENT_MAX; count++) void playEach(left);
});
afterAll(() => subject[Symbol.asyncDispose]());

async function playEach(left: MemberProgram[]): Promise<void> {
  for (let program = left.shift(); program !== undefined; program = left.shift()) {
    const outcome = outcomes.get(program);
    // deno-lint-ignore no-await-in-loop -- one after the other, several at a time
    await membersComeAndGo(subject, program).then(outcome?.resolve, outcome?.reject);
  }
}

/** It is told by its stdin that a test program is gone; a program that is killed says no more. */
async function endsWithStarter(program: MemberProgram): Promise<void> {
  await using feed = await Feed.open(subject.kafka, freshTopic("starter"));
  const { topic } = feed;
  await using member = new Member(program, { broker: subject.kafka, group: `${topic}-g`, topic });
  await looking(`${program.title} reads`, () => member.read().length > 0);
  member.process.writeAndEnd("");
  expect(await member.process.ended, program.title).not.toBe(0);
}

describe("members that come, leave and are killed: every record is read, and offsets resume", () => {
  for (const { program, isPresent } of programs) {
    test.skipIf(!isPresent)(program.title, async () => {
      await outcomes.get(program)?.promise;
    });
  }
});

describe("a member ends with the program that has started it", () => {
  for (const { program, isPresent } of programs) {
    test.skipIf(!isPresent)(program.title, () => endsWithStarter(program));
  }
});
