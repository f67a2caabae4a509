import { describe, expect, test } from "bun:test";
import { apis } from "../../src/api/registry.ts";
import type { Api, RequestInput } from "../../src/api/schema.ts";
import { fetch } from "../../src/api/fetch.ts";
import { produce } from "../../src/api/produce.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { Prng } from "../../src/ground/prng.ts";
import { requestFrame } from "../../src/wire/message.ts";
import { randomStruct, seedOf } from "../wire/random_message.ts";
import {
  batchOf,
  type Fixture,
  pageOf,
  type RawConnection,
  recordsOf,
  startBroker,
} from "./broker_fixture.ts";
import { createTopic, fetchFrom, produceTo } from "./topic_requests.ts";

const ROUNDS = 100;
const MUTATIONS = 3;

/** Of connections, and of the test: a broker that broke ends here. */
async function expectAlive({ dial, broker }: Fixture): Promise<void> {
  const connection = await dial();
  expect(recordsOf((await fetchFrom(connection, "kept")).records).slice(0, 1)).toEqual(["0:kept"]);
  expect(pageOf({ broker }, "/health/ready").status).toBe(200);
  await connection.close();
}

async function sendTo(fixture: Fixture, frame: Uint8Array): Promise<RawConnection> {
  const connection = await fixture.dial();
  await connection.sendBytes(frame);
  await fixture.clock.advance(1);
  await connection.close();
  return connection;
}

function joined(parts: readonly { readonly byteLength: number }[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part as Uint8Array]));
}

describe("Dispatch", () => {
  test("answers or closes on random requests of every API and version, whole and mutated", async () => {
    const prng = new Prng(seedOf("dispatch"));
    const fixture = await startBroker({ "mq.create.partitions.max": "50" });
    const connection = await fixture.dial();
    await createTopic(connection, "kept");
    await produceTo(connection, "kept", batchOf(["kept"]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const api of apis) {
        const [low, high] = api.versions;
        const version = prng.between(low, high);
        const body = randomStruct(prng, api.request, version);
        const header = { apiVersion: version, correlationId: 1, clientId: "fuzz" };
        const frame = joined(requestFrame(api, header, body as RequestInput<Api>));
        await sendTo(fixture, frame);
        for (let index = 0; index < MUTATIONS; index++) {
          const mutated = frame.slice();
          const at = 4 + prng.below(mutated.length - 4);
          mutated[at] = prng.oneIn(2) ? 255 : prng.below(256);
          await sendTo(fixture, mutated);
        }
      }
      await expectAlive(fixture);
    }
    const failures = fixture.events.filter((event) => event.includes("a request failed"));
    expect(failures).toEqual([]);
  });

  test("a name that is not UTF-8 and would not fit into the answer closes the connection", async () => {
    const fixture = await startBroker();
    await createTopic(await fixture.dial(), "kept");
    await produceTo(await fixture.dial(), "kept", batchOf(["kept"]));
    // Metadata 9: header with tags, one topic whose name is 30,000 bytes of 0xff, three flags, tags.
    const head = [0, 3, 0, 9, 0, 0, 0, 1, 255, 255, 0, 2, 0xb1, 0xea, 1];
    const body = Uint8Array.from([...head, ...new Array<number>(30_000).fill(255), 0, 0, 0, 0, 0]);
    const frame = new Uint8Array(4 + body.length);
    new DataView(frame.buffer).setInt32(0, body.length);
    frame.set(body, 4);
    const connection = await fixture.dial();
    await connection.sendBytes(frame);
    expect(connection.isClosed).toBeTrue();
    expect(fixture.events.at(-1)).toMatch(/not UTF-8/);
    await expectAlive(fixture);
  });

  test("the same partition twice in one request is answered twice", async () => {
    const { dial } = await startBroker();
    const connection = await dial();
    await createTopic(connection, "t");
    const data = (value: string): { index: number; records: Uint8Array } => ({
      index: 0,
      records: batchOf([value]),
    });
    const { responses } = await connection.ask(produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{
        name: "t",
        partitionData: [data("a"), data("b"), { index: 7, records: null }],
      }],
    });
    expect(
      responses[0]?.partitionResponses.map(({ errorCode, baseOffset }) =>
        `${errorCode} ${baseOffset}`
      ),
    )
      .toEqual(["0 0", "0 1", `${ErrorCode.UnknownTopicOrPartition} -1`]);
    const asked = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0, partitionMaxBytes: 1000 };
    const fetched = await connection.ask(fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topic: "t", partitions: [asked, asked] }],
      forgottenTopicsData: [],
    });
    expect(fetched.responses[0]?.partitions).toHaveLength(2);
  });
});
