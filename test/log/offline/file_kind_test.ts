import { describe, expect, test } from "bun:test";
import { fileKindOf } from "../../../src/log/offline/file_kind.ts";

describe("fileKindOf()", () => {
  test("knows the files of a partition, of a directory and of the metadata log", () => {
    const kinds: readonly (readonly [string, string, number])[] = [
      ["00000000000000000042.log", "log", 42],
      ["00000000000000000042.index", "index", 42],
      ["00000000000000000042.timeindex", "timeindex", 42],
      ["00000000000000000042.txnindex", "txnindex", 42],
      ["00000000000000000042.snapshot", "snapshot", 42],
      ["00000000000000000042-0000000003.checkpoint", "metadata-snapshot", 42],
      ["leader-epoch-checkpoint", "leader-epochs", 0],
      ["replication-offset-checkpoint", "checkpoint", 0],
      ["partition.metadata", "partition-metadata", 0],
      ["meta.properties", "identity", 0],
      [".kafka_cleanshutdown", "clean-mark", 0],
    ];
    for (const [name, kind, offset] of kinds) expect(fileKindOf(name)).toEqual({ kind, offset });
  });

  test("tells in which state a file was left", () => {
    expect(fileKindOf("00000000000000000007.log.deleted")?.state).toBe("deleted");
    expect(fileKindOf("00000000000000000007.index.swap")?.state).toBe("swap");
    expect(fileKindOf("00000000000000000007.timeindex.cleaned")?.state).toBe("cleaned");
    const kept = fileKindOf("00000000000000000007.log.4096-damaged");
    expect(kept).toEqual({ kind: "log", offset: 7, state: "damaged" });
  });

  test("knows nothing of other names", () => {
    for (const name of ["42.log", "notes.txt", "x.log.deleted.deleted", "", ".deleted"]) {
      expect(fileKindOf(name)).toBeUndefined();
    }
  });
});
