/**
 * A broker that stopped in order took until `mq.stop.timeout.ms` when a producer was connected.
 *
 *     1. The broker is asked to stop and pauses the connection.
 *     2. More of the producer arrives, and is not read.
 *     3. The last reply leaves, with the broker's goodbye (FIN) behind it.
 *     4. The producer closes; behind bytes that nobody reads, that is never heard.
 */
import { expect, test } from "bun:test";
import net from "node:net";
import { startBroker } from "../harness/broker.ts";
import { until } from "../harness/until.ts";

/** ApiVersions version 0 with correlation id 1 and no client id. */
const REQUEST = Uint8Array.of(0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255);
const LONGER_THAN_A_TEST = "600000";

test("a graceful stop does not wait for a peer that has closed", async () => {
  await using broker = await startBroker({
    words: ["-X", `mq.stop.timeout.ms=${LONGER_THAN_A_TEST}`],
  });
  const [host = "", port = ""] = broker.kafka.split(":");
  const socket = net.connect(Number(port), host);
  let received = 0;
  let isOver = false;
  socket.on("data", (bytes) => received += bytes.length);
  socket.on("error", () => isOver = true);
  socket.on("end", () => {
    socket.write(REQUEST.slice(0, 5)); // as a producer that is in the middle of a request
    socket.end();
  });
  socket.on("close", () => isOver = true);
  try {
    socket.write(REQUEST);
    await until("it has an answer", () => received > 0);
    let status: number | undefined;
    broker.stop().then((code) => status = code, () => status = -1);
    await until("the broker has stopped", () => status !== undefined);
    expect(status).toBe(0);
    expect(isOver).toBe(true);
  } finally {
    socket.destroy();
  }
});
