import { expect, test } from "bun:test";
import { DIRECTORY, LogFixture } from "../log/log_fixture.ts";

test("the folder that a repair keeps in a partition is left without a word, others are told of", async () => {
  const fixture = await LogFixture.open();
  fixture.appendMany(3);
  await fixture.log.close();
  const disk = fixture.memoryDisk.kill();
  disk.makeDirectory(`${DIRECTORY}/repair-20260101T000000Z-2`);
  expect((await LogFixture.open({ disk: disk.kill() })).events).toEqual([]);
  disk.makeDirectory(`${DIRECTORY}/repair-of-mine`);
  const opened = await LogFixture.open({ disk });
  expect(opened.events).toEqual(["unknown files are left alone"]);
});
