/**
 * A cluster of controllers, with no broker yet, took no order: the client asked for metadata first, which
 * only brokers tell, to find out who the controller is. So no voter could be added to it.
 */
import { expect, test } from "bun:test";
import { connect } from "../../src/client/client.ts";
import { crc32cTables } from "../../src/ground/crc32c.ts";
import { Prng } from "../../src/ground/prng.ts";
import type { Env } from "../../src/env/env.ts";
import { codeOf } from "../client/harness.ts";
import { TestCluster } from "../controller/cluster_fixture.ts";

test("a controller takes another one in as a voter, whichever of them is asked", async () => {
  const settings = { "process.roles": "controller" };
  const cluster = await TestCluster.start({ voters: [1], settings });
  const follower = cluster.prepare(2, {
    "controller.quorum.voters": "",
    "controller.quorum.bootstrap.servers": "127.0.0.1:9093",
  });
  const started = follower.start();
  started.catch(() => undefined); // it is looked at below
  const { clock, network } = cluster;
  const random = new Prng(1);
  const env = {
    clock,
    network,
    random,
    crc32c: crc32cTables,
    crypto: { randomBytes: (count: number) => random.bytes(count) },
    trace: { event: () => undefined },
  } as unknown as Env;
  const first = await clock.until(connect({ brokers: [cluster.node(1).address], env }));
  let directoryId: string | undefined;
  const look = (): void => {
    void first.admin.describeQuorum().then(({ observers }) => {
      directoryId ??= observers.find(({ nodeId }) => nodeId === 2)?.directoryId;
    });
  };
  await cluster.untilTrue(() => {
    if (directoryId === undefined) look();
    return directoryId !== undefined;
  }, "it is told of as an observer");
  const client = await clock.until(connect({ brokers: [follower.address], env }));
  const { admin } = client;
  const listeners = [{ name: "PLAINTEXT", ...follower.address }];
  const voter = { nodeId: 2, directoryId: directoryId as never, listeners };
  await clock.until(admin.addVoter(voter));
  await cluster.until(started);
  const { voters } = await clock.until(admin.describeQuorum());
  expect(voters.map(({ nodeId }) => nodeId)).toEqual([1, 2]);
  expect(await clock.until(codeOf(admin.addVoter(voter)))).toBe("DUPLICATE_VOTER");
  const error = await clock.until(admin.listTopics().catch((thrown: unknown) => thrown));
  expect((error as { readonly hint?: string }).hint).toMatch(/is a controller and no broker/);
  for (const each of [first, client]) await clock.until(each[Symbol.asyncDispose]());
  cluster.haltAll();
});
