import { expect, test } from "bun:test";
import { LogFault } from "../../src/log/log_fault.ts";
import { BatchView } from "../../src/record/batch_view.ts";
import { DIRECTORY, LogFixture } from "../log/log_fixture.ts";

test("a cleanly closed last segment that lost its last batch refuses the read that would need it", async () => {
  const fixture = await LogFixture.open();
  fixture.appendMany(5);
  await fixture.log.close();
  const { logEndOffset } = fixture.log;
  const disk = fixture.memoryDisk.kill();
  const node = disk.files.get(`${DIRECTORY}/${"0".repeat(20)}.log`) as { content: Uint8Array };
  let at = 0;
  for (let batch = 0; batch < 4; batch++) at += new BatchView(node.content, at).sizeInBytes();
  node.content = node.content.slice(0, at);
  const opened = await LogFixture.open({ disk, isClean: true, recoveryPoint: logEndOffset });
  const read = async (): Promise<unknown> => await opened.read(4);
  const fault = await read().catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(LogFault);
  expect(String(fault)).toMatch("it ends at offset 4, expected 5");
});
