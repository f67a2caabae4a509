/**
 * A long poll for metadata names the node that asks, and a new one ends the one before. Any peer could
 * name any node: it ended the polls of others, and held ten thousand of its own, after which nobody's
 * poll waited and every broker asked without pause.
 */
import { expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { metadataFetch, type MetadataFetchResponse } from "../../src/api/own/metadata_fetch.ts";
import { TestCluster } from "../controller/cluster_fixture.ts";
import { directoryOf, HostilePeer, ownFrame, refusals } from "../controller/hostile_peer.ts";

const POLL = {
  offset: 1_000_000,
  lastTerm: 0,
  bytesMax: 1000,
  waitMs: 60_000,
  nodeId: 66,
  incarnationId: directoryOf(1),
};

test("a peer polls for itself only", async () => {
  const cluster = await TestCluster.start({ voters: [1] });
  const node = cluster.node(1);
  const waiting = await HostilePeer.greeted(cluster, node);
  await waiting.send(ownFrame(metadataFetch.key, POLL));
  waiting.answers.length = 0;
  const other = await HostilePeer.greeted(cluster, node, {
    nodeId: 67,
    directoryId: directoryOf(67),
  });
  const answer = await other.ask(metadataFetch, POLL);
  expect((answer as MetadataFetchResponse).errorCode).toBe(ErrorCode.ClusterAuthorizationFailed);
  expect(refusals(node, "unexpected-identity")).toBe(1);
  await cluster.clock.advance(1000);
  expect(waiting.answers).toHaveLength(0);
  // Its own next one ends it, as before.
  await waiting.send(ownFrame(metadataFetch.key, POLL));
  await cluster.clock.advance(10);
  expect(waiting.answers).toHaveLength(1);
  cluster.haltAll();
});
