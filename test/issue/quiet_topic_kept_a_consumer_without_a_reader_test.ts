/**
 * `mq consume -g G | head -1` on a quiet topic: the closed pipe was found at the next record, hours later
 * perhaps; until then the member held its partitions and went on committing.
 */
import { describe, expect, test } from "bun:test";
import { mq, program, startBroker } from "../harness/broker.ts";
import { run } from "../harness/process.ts";

describe("mq consume", () => {
  test("leaves when the reader of the pipe goes, though nothing more comes", async () => {
    await using broker = await startBroker();
    await mq(["produce", "t", "0", "1", "2", "-p", "0"], broker);
    for (const more of [["-g", "quiet"], ["-o", "start"]]) {
      const shell = `"$@" | head -n1; exit "\${PIPESTATUS[0]}"`;
      const words = ["-c", shell, "sh", ...program(), "consume", "t", ...more];
      const piped = await run("bash", words, { env: { MQ_BROKERS: broker.kafka } });
      expect([piped.status, piped.text, piped.stderr]).toEqual([0, "0\n", ""]);
    }
    expect((await mq(["group", "export", "quiet"], broker)).status).toBe(3);
  });
});
