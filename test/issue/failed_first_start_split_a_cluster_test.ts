/**
 * A node was to join a cluster, and its first start named its own port for that of the others: it began
 * a cluster of its own under the same name, and ended because the port was taken. Started again as it was
 * meant, it served by itself and said nothing: two clusters with one name.
 */
import { expect, test } from "bun:test";
import { startBroker } from "../broker/broker_fixture.ts";

const OTHER = { "controller.quorum.bootstrap.servers": "other:9092" };

test("a node that has begun alone does not start where it is told to join others", async () => {
  const { disk, broker, clock } = await startBroker();
  await clock.until(broker.stop());
  await expect(startBroker(OTHER, disk)).rejects.toThrow(
    "Cannot start node 1 to join other:9092: its metadata is of a cluster of its own",
  );
  const named = { ...OTHER, "controller.quorum.bootstrap.servers": "other:9092,127.0.0.1:9092" };
  const again = await startBroker(named, disk.kill());
  expect(again.broker.nodeId).toBe(1);
});
