/**
 * Records what a real Kafka answers to the cases of `cases.ts`: run by hand against a broker with the
 * id 1 that was just started with what `broker_settings.ts` says and `unstable.api.versions.enable=true`
 * (for the versions with topic ids). It takes some minutes: sessions have to run out.
 *
 *     bun test/golden/groups/record_groups.ts HOST:PORT [TITLE] > test/golden/groups/kafka_4_1_groups.json
 *
 * With a title only cases that have it in theirs are played, which is for looking.
 */
import process from "node:process";
import type { Address } from "../../../src/env/network.ts";
import type { Api, RequestInput, ResponseOf } from "../../../src/api/schema.ts";
import { parseAddress } from "../../../src/client/address.ts";
import { Connection } from "../../../src/client/connection.ts";
import { createHostEnv } from "../../../src/host/host_env.ts";
import { cases } from "./cases.ts";
import { type Line, played, type Wire } from "./talk.ts";
import { prepare } from "./topics.ts";

const ANSWER_TIMEOUT_MS = 60_000;
/** Within this a broker on loopback has dealt with what needs no time. */
const SETTLE_MS = 40;
/** Cases that are played at the same time: most of their time is waiting. */
const CONCURRENT_MAX = 8;

const env = createHostEnv();

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => void env.clock.after(ms, resolve));
}

async function dial(address: Address): Promise<Line> {
  const options = { address, clientId: "golden", requestTimeoutMs: ANSWER_TIMEOUT_MS, env };
  const connection = await Connection.open(options);
  return {
    request: <A extends Api>(
      api: A,
      version: number,
      body: RequestInput<A>,
    ): Promise<ResponseOf<A>> => connection.requestAt(api, version, body),
    close: () => connection.close(),
  };
}

async function main([place = "", title = ""]: readonly string[]): Promise<void> {
  const address = parseAddress(place);
  if (address === undefined) {
    throw new Error("Cannot record answers: give the HOST:PORT of a broker");
  }
  const wire: Wire = {
    dial: () => dial(address),
    wait: (promise) => promise,
    settle: () => pass(SETTLE_MS),
    pass,
  };
  const topicIds = await prepare(wire);
  const asked = cases.filter((each) => each.title.includes(title));
  const lines: string[] = [];
  const left = [...asked.entries()];
  const player = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, each] = next;
      // deno-lint-ignore no-await-in-loop -- one after the other, several at a time
      const { answers } = await played(each, { wire, topicIds });
      lines[index] = JSON.stringify({ title: each.title, answers });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_MAX }, player));
  console.log(`[\n${lines.join(",\n")}\n]`);
  process.exit(0);
}

await main(process.argv.slice(2));
