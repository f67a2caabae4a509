import { expect, test } from "bun:test";
import { createHostDisk, HostFile } from "../../src/host/disk.ts";
import { loadSendFile } from "../../src/host/sendfile.ts";
import { temporaryDirectory } from "../harness/temporary_directory.ts";

test("loadSendFile() finds sendfile and mincore on Bun, and knows what is in memory", async () => {
  using directory = temporaryDirectory();
  const native = await loadSendFile();
  expect(native).toBeDefined();
  const file = createHostDisk().open(`${directory.path}/f`, "write") as HostFile;
  file.write(0, [new Uint8Array(3 * 1024 * 1024).fill(1)]);
  expect(native?.isResident(file.descriptor, 5, 1024 * 1024 - 4096)).toBeTrue();
  expect(native?.isResident(file.descriptor, 2 * 1024 * 1024 + 1, 100)).toBeTrue();
  // Behind the end of the file there is nothing that could be in memory, and no crash.
  expect(native?.isResident(file.descriptor, 64 * 1024 * 1024, 4096)).toBeFalse();
  expect(native?.isResident(-1, 0, 4096)).toBeFalse();
  file.close();
});
