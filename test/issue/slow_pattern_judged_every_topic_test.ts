/**
 * A pattern of some ten characters, `(?:.?){1000}`, takes 50 ms for each long name of a topic: in a
 * cluster of ten thousand topics its heartbeat held the event loop for minutes.
 */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { LazyRegexes } from "../../src/runtime/coordinator/lazy_regexes.ts";
import { Coordinator } from "../group/coordinator.ts";
import { consumerHeartbeat } from "../group/requests.ts";

const TOPICS = 100;

test("a pattern that turns out to be slow is refused after a few names", async () => {
  let nowMs = 0;
  let nameMs = 50;
  let looks = 0;
  const regexes = new LazyRegexes({
    monotonicMs: () => {
      looks++; // before a name and behind it
      return nowMs += nameMs / 2;
    },
  });
  await regexes.load();
  const coordinator = new Coordinator({ regexes });
  for (let topic = 0; topic < TOPICS; topic++) coordinator.createTopic(`topic-${topic}`, 1);
  const ask = (subscribedTopicRegex: string): number | undefined =>
    coordinator.ask(consumerHeartbeat({ subscribedTopicNames: null, subscribedTopicRegex }))
      .errorCode;
  expect(ask("topic.*")).toBe(ErrorCode.InvalidRegularExpression);
  expect(looks).toBeLessThan(20);
  expect(coordinator.log).toEqual([]);
  nameMs = 0;
  expect(ask("topic-1.*")).toBe(ErrorCode.None);
});
