import { describe, expect, test } from "bun:test";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import { createHostDisk } from "../../../src/host/disk.ts";
import { verifyLogs } from "../../../src/log/offline/verify_directory.ts";
import { projectRoot } from "../../harness/process.ts";

describe("verifyLogs()", () => {
  test("finds nothing wrong with a partition that Apache Kafka wrote, nor with one of mq's", async () => {
    for (const name of ["kafka_segment", "mq_segment"]) {
      const report = await verifyLogs({
        disk: createHostDisk(),
        crc32c: crc32cTables,
        paths: [`${projectRoot}test/golden/${name}`],
        decodeMetadata: () => undefined,
      });
      expect(report.batches).toBeGreaterThan(20);
      expect(report.findings.map(({ severity }) => severity).filter((each) => each !== "info"))
        .toEqual([]);
    }
  });
});
