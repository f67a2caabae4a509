/** The error codes against Kafka 4.1's list (`Errors`, its codes, names and retriable exceptions). */
import { describe, expect, test } from "bun:test";
import {
  ErrorCode,
  errorCodeOf,
  errorFacts,
  errorName,
  errorTable,
  isRetriable,
} from "../../src/api/error_code.ts";
import { errorMessages } from "../../src/api/error_message.ts";
import kafkaErrors from "../golden/kafka_4_1_messages_errors.json" with { type: "json" };

describe("errorTable", () => {
  test("has Kafka's codes, names and retriable flags", () => {
    const ours = errorTable.map(({ code, name, retriable }) =>
      `${code} ${name}${retriable ? " retriable" : ""}`
    );
    expect(ours).toEqual(kafkaErrors);
  });

  test("has a sentence for every code, and no other", () => {
    expect(Object.keys(errorMessages)).toEqual(Object.keys(ErrorCode));
    for (const { message } of errorTable) expect(message).toMatch(/^[A-Z].*[^.]$/);
  });
});

describe("error codes", () => {
  test("errorName() and errorCodeOf() are each other's reverse", () => {
    for (const { code } of errorTable) expect(errorCodeOf(errorName(code))).toBe(code);
    expect(errorName(ErrorCode.InvalidTopicException)).toBe("INVALID_TOPIC_EXCEPTION");
    expect(errorCodeOf("NO_SUCH_ERROR")).toBeUndefined();
  });

  test("isRetriable() tells what Kafka retries", () => {
    expect(isRetriable(ErrorCode.NotLeaderOrFollower)).toBeTrue();
    expect(isRetriable(ErrorCode.None)).toBeFalse();
    expect(isRetriable(ErrorCode.TopicAlreadyExists)).toBeFalse();
  });

  test("a code of a newer Kafka has a name, is not retriable, and counts as unknown", () => {
    expect(errorName(999)).toBe("UNKNOWN_ERROR_CODE_999");
    expect(isRetriable(999)).toBeFalse();
    expect(errorFacts(999).code).toBe(ErrorCode.UnknownServerError);
    expect(errorFacts(3).name).toBe("UNKNOWN_TOPIC_OR_PARTITION");
  });
});
