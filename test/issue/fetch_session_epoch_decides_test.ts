/**
 * Whether a Fetch goes on with a session is told by its epoch, not by its id: Kafka answers epoch 0 and
 * -1 in full whatever the id is, and any other epoch of an unknown session, id 0 too, with an error.
 */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { fetch } from "../../src/api/fetch.ts";
import { startBroker } from "../broker/broker_fixture.ts";
import { createTopic, FETCH_VERSION, fetchBody } from "../broker/topic_requests.ts";

test("the epoch of a fetch session decides whether it is known", async () => {
  const { dial } = await startBroker();
  const connection = await dial();
  await createTopic(connection, "t");
  const unknown = ErrorCode.FetchSessionIdNotFound;
  for (
    const [sessionId, sessionEpoch, expected] of [
      ...[[0, 0, 0], [0, -1, 0], [5, 0, 0], [5, -1, 0]] as const,
      ...[[5, 1, unknown], [0, 5, unknown]] as const,
    ]
  ) {
    const body = fetchBody("t", { sessionId, sessionEpoch });
    const answer = await connection.ask(fetch, FETCH_VERSION, body);
    expect([answer.errorCode, answer.sessionId]).toEqual([expected, 0]);
  }
});
