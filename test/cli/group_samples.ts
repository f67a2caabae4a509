/** A group that is a little behind, and one run of the program against its cluster. */
import { runProgram } from "../../cli/program.ts";
import { FakeIo, type FakeIoOptions } from "./fake_io.ts";
import { LogCluster } from "./log_cluster.ts";

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly talk: string;
}

export async function mq(
  line: string,
  cluster: LogCluster,
  options: FakeIoOptions = {},
): Promise<Ran> {
  const io = new FakeIo({ isHasty: true, ...options, args: line.split(" ") });
  const code = await runProgram(io, () => cluster.library());
  return { code, output: io.output, talk: io.talk };
}

export async function json(line: string, cluster: LogCluster): Promise<unknown> {
  return JSON.parse((await mq(`${line} --json`, cluster)).output);
}

/** Ten records in t-0, four in t-1; group g has read up to 4 and 4. */
export function cluster(): LogCluster {
  const made = new LogCluster();
  made.topic("t", "abcdefghij".split(""), "abcd".split(""));
  made.group("g", { "t 0": 4, "t 1": 4 });
  return made;
}

export const MEMBER = {
  memberId: "m-1",
  groupInstanceId: null,
  clientId: "mq",
  clientHost: "/127.0.0.1",
  assignment: [{ topic: "t", partitions: [0, 1, 3] }],
};

/** With a member. */
export function live(): LogCluster {
  const made = cluster();
  Object.assign(made.groups.get("g") as object, { state: "Stable", members: [MEMBER] });
  return made;
}
