/**
 * A partition whose log could not be opened is led here all the same, but its log is not there: for the
 * lag of a group this node dialled itself, as it would ask another, and counted a stranger with its own
 * identity, with every page of metrics anew.
 */
import { expect, test } from "bun:test";
import { batchOf, startBroker } from "../broker/broker_fixture.ts";
import { commit, FEW_PARTITIONS, findGroup } from "../broker/group_requests.ts";
import { createTopic, produceTo } from "../broker/topic_requests.ts";

test("a partition that is offline here is asked of nobody", async () => {
  const first = await startBroker(FEW_PARTITIONS);
  const before = await first.dial();
  await createTopic(before, "hurt");
  await produceTo(before, "hurt", batchOf(["a", "b"]));
  await findGroup(before, "g");
  expect(await commit(before, "g", "hurt", 1)).toBe(0);
  await first.clock.until(first.broker.stop());
  const disk = first.disk.kill();
  disk.remove("/data/.cleanshutdown");
  const log = disk.open("/data/hurt-0/00000000000000000000.log", "write");
  log.truncate(log.bytes() - 5);

  const { broker, clock, network } = await startBroker(FEW_PARTITIONS, disk);
  let dials = 0;
  const dial = network.dial.bind(network);
  network.dial = (address, options) => {
    dials++;
    return dial(address, options);
  };
  const page = await clock.until(
    Promise.resolve(broker.routes({ method: "GET", path: "/metrics" })),
  );
  expect(page.body).toMatch('kafka_consumergroup_current_offset{consumergroup="g",topic="hurt"');
  expect(page.body).not.toMatch("kafka_consumergroup_lag{");
  expect(dials).toBe(0);
});
