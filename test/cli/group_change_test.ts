/** `mq group seek|delete|offset-delete`: what they change, and what they refuse. */
import { describe, expect, test } from "bun:test";
import { cluster, json, live, mq } from "./group_samples.ts";

describe("mq group seek", () => {
  test("shows the plan, and changes nothing with --dry-run", async () => {
    const made = cluster();
    expect(await json("group seek g --to 2 --dry-run", made)).toEqual({
      groupId: "g",
      dryRun: true,
      changes: [
        { topic: "t", partition: 0, from: 4, to: 2 },
        { topic: "t", partition: 1, from: 4, to: 2 },
      ],
    });
    expect(made.committed("g", "t 0")).toBe(4);
    const asked = await mq("group seek g --to start", made);
    expect(asked.code).toBe(2);
    expect(asked.output).toMatch("t\t0\t4\t0\t-4\n");
    expect(asked.talk).toMatch("Say --yes to go ahead");
    expect(made.committed("g", "t 0")).toBe(4);
  });

  test("goes to a point, in some partitions only, in topics it has never read", async () => {
    const made = cluster();
    expect((await mq("group seek g --to end --yes", made)).code).toBe(0);
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([10, 4]);
    await mq("group seek g --to -3 -p 0 --yes", made);
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([7, 4]);
    const fresh = await mq("group seek fresh --to start --topics t --yes", made);
    expect(fresh.code).toBe(0);
    expect(made.committed("fresh", "t 1")).toBe(0);
    const nowhere = await mq("group seek nosuch --to start --yes", made);
    expect(nowhere.code).toBe(3);
    expect(nowhere.talk).toMatch("--topics NAME");
  });

  test("goes where another group is, and where a file says", async () => {
    const made = cluster();
    made.group("blue", { "t 0": 7 });
    await mq("group seek g --to-group blue --yes", made);
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([7, 4]);
    const files = { "offsets.txt": "# kept\nt\t0\t1\nt 1 2\n" };
    await mq("group seek g --to-file offsets.txt --yes", made, { files });
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([1, 2]);
    const { output } = await mq("group export g", made);
    expect(output).toBe("t\t0\t1\nt\t1\t2\n");
    await mq("group seek copy --to-file - --yes", made, { input: [output] });
    expect([made.committed("copy", "t 0"), made.committed("copy", "t 1")]).toEqual([1, 2]);
  });

  test("refuses offsets that are not there, and moves the others", async () => {
    const made = cluster();
    const { code, talk } = await mq("group seek g --to 9 --yes", made);
    expect(code).toBe(1);
    expect(talk).toMatch("Cannot seek t-1 to 9: it goes from 0 to 4");
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([9, 4]);
    const files = { f: "t 7 1\n", g: "t x 1\n", h: "t 0 1\nt 0 2\n" };
    expect((await mq("group seek g --to-file f --yes", made, { files })).code).toBe(3);
    expect((await mq("group seek g --to-file g --yes", made, { files })).talk).toMatch(
      "line 1 of g",
    );
    expect((await mq("group seek g --to-file h --yes", made, { files })).talk).toMatch("twice");
    expect((await mq("group seek g --to-file nosuch --yes", made, { files })).code).toBe(3);
  });

  test("is refused while members are live; --force takes them out, also where they are quick", async () => {
    const made = live();
    const refused = await mq("group seek g --to start --yes", made);
    expect(refused.code).toBe(1);
    expect(refused.talk).toMatch("Cannot move group g: it has 1 live member");
    expect((await mq("group seek g --to start --dry-run", made)).code).toBe(0);
    let quick = 2;
    const { members } = made.groups.get("g") as { members: unknown[] };
    made.onAlter = (id) => {
      if (quick-- > 0) Object.assign(made.groups.get(id) as object, { members });
    };
    expect((await mq("group seek g --to start --yes --force", made)).code).toBe(0);
    expect(made.removed).toHaveLength(3);
    expect(made.committed("g", "t 0")).toBe(0);
  });

  test("wants to know where to, once", async () => {
    expect((await mq("group seek g --yes", cluster())).talk).toMatch("Missing flag --to");
    const both = await mq("group seek g --to end --to-group x", cluster());
    expect(both.talk).toMatch("Conflicting flags --to and --to-group");
    expect((await mq("group seek g --to 1:2", cluster())).code).toBe(2);
  });
});

describe("mq group delete", () => {
  test("forgets groups, not those with members, and asks before", async () => {
    const made = live();
    made.group("old", { "t 0": 1 });
    expect((await mq("group delete old", made)).code).toBe(2);
    expect((await mq("group delete old --yes", made)).code).toBe(0);
    expect(made.groups.has("old")).toBeFalse();
    const { code, talk } = await mq("group delete g nosuch --yes", made);
    expect(code).toBe(1);
    expect(talk).toMatch("mq group members g tells who they are");
    expect((await mq("group delete nosuch --yes", made)).code).toBe(3);
    expect((await mq("group delete nosuch --yes --if-exists", made)).code).toBe(0);
  });
});

describe("mq group offset-delete", () => {
  test("forgets what was committed of a topic", async () => {
    const made = cluster();
    expect((await mq("group offset-delete g --yes", made)).code).toBe(2);
    await mq("group offset-delete g --topic t -p 0 --dry-run", made);
    expect(made.committed("g", "t 0")).toBe(4);
    expect((await mq("group offset-delete g --topic t -p 0 --yes", made)).code).toBe(0);
    expect([made.committed("g", "t 0"), made.committed("g", "t 1")]).toEqual([undefined, 4]);
    expect((await mq("group offset-delete g --topic u --yes", made)).code).toBe(3);
  });
});
