/**
 * AddRaftVoter took any listener. A configuration with an empty host, port 0 or a host of thousands of
 * characters went into the log; other voters refuse a snapshot offer that names such a one.
 */
import { describe, expect, test } from "bun:test";
import { addRaftVoter } from "../../src/api/add_raft_voter.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { CLUSTER_ID, TestCluster } from "../controller/cluster_fixture.ts";
import { directoryOf, stateOf } from "../controller/hostile_peer.ts";

describe("a voter", () => {
  const wrong: Readonly<Record<string, readonly [host: string, port: number]>> = {
    "an empty host": ["", 9092],
    "port 0": ["host", 0],
    "a host of 256 characters": ["h".repeat(256), 9092],
    "a host with control characters": ["h\n\u001b[31m", 9092],
  };
  for (const [what, [host, port]] of Object.entries(wrong)) {
    test(`with ${what} is not added`, async () => {
      const cluster = await TestCluster.start({ voters: [1] });
      const before = stateOf(cluster);
      const { errorCode, errorMessage } = await cluster.ask(cluster.node(1), addRaftVoter, 0, {
        clusterId: CLUSTER_ID,
        timeoutMs: 1000,
        voterId: 9,
        voterDirectoryId: directoryOf(9),
        listeners: [{ name: "PLAINTEXT", host, port }],
      });
      expect(errorCode).toBe(ErrorCode.InvalidRequest);
      expect(errorMessage ?? "").toMatch(/^Invalid listener ".{0,100}":\d+$/);
      expect(stateOf(cluster)).toEqual(before as never);
      cluster.haltAll();
    });
  }
});
