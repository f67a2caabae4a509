/**
 * Other people's consumers as members of groups: each a process that prints "PARTITION OFFSET VALUE" of
 * every record, commits and leaves at SIGTERM, and can be killed as any process. It ends with its stdin,
 * so that none outlives a test program that was killed.
 *
 * What is not installed is left out: Python's are looked for in `MQ_CONFORM_PYTHON` (python3), Kafka's
 * own client in the jars of `MQ_CONFORM_KAFKA_LIBS`.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { temporaryDirectory } from "../harness/temporary_directory.ts";
import { hasProgram, projectRoot, run, type RunningProcess, start } from "../harness/process.ts";

export interface Place {
  readonly broker: string;
  readonly group: string;
  readonly topic: string;
}

export interface MemberProgram {
  readonly title: string;
  /** The command before and after the place. */
  readonly before: readonly string[];
  readonly after?: readonly string[];
  /** The exit code of a member that was asked to leave. */
  readonly leftWith?: number;
  /** Whether it commits a record that it has not printed when it is asked to leave at a bad moment. */
  readonly losesLast?: boolean;
}

/** What a member has read. */
export interface ReadLine {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

const READ_LINE = /^(\d+) (\d+) (\d+)$/;

export class Member implements AsyncDisposable {
  readonly process: RunningProcess;
  readonly #program: MemberProgram;

  constructor(program: MemberProgram, { broker, group, topic }: Place) {
    this.#program = program;
    const [command = "", ...words] = [...program.before, broker, group, topic];
    this.process = start(command, [...words, ...program.after ?? []]);
  }

  /**
   * All that it has read so far; a line that is not whole yet is not among it. Throws where there is
   * anything else: a line of a log would hide the record whose line it has broken.
   */
  read(): readonly ReadLine[] {
    const text = new TextDecoder().decode(this.process.stdout());
    return text.split("\n").slice(0, -1).map((line) => {
      const [, partition, offset, value = ""] = READ_LINE.exec(line) ?? [];
      if (value === "") throw new Error(`${this.#program.title} has printed '${line}'`);
      return { partition: Number(partition), offset: Number(offset), value };
    });
  }

  /** Throws where it has not ended as it should. */
  async leave(): Promise<void> {
    this.process.kill("SIGTERM");
    const status = await this.process.ended;
    if (status === (this.#program.leftWith ?? 0)) return;
    throw new Error(`${this.#program.title} has left with ${status}: ${this.process.stderr()}`);
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}

const folder = `${projectRoot}test/conform/member`;
const bun = `${projectRoot}node_modules/.bin/bun`;
const JAVA_WAS_TERMINATED = 143;
const COMPILE_TIMEOUT_MS = 120_000;

/** What npm installs. */
export const npmMembers: readonly MemberProgram[] = [
  { title: "kafkajs", before: [bun, `${folder}/kafkajs.ts`] },
  { title: "@platformatic/kafka, classic", before: [bun, `${folder}/platformatic.ts`] },
  {
    title: "@platformatic/kafka, consumer",
    before: [bun, `${folder}/platformatic.ts`],
    after: ["consumer"],
  },
];

/**
 * Ends what the shell becomes when its stdin ends, as the other members do by themselves. Where that has
 * ended before, the one who waits has another parent.
 */
const END_WITH_STARTER = `exec 3<&0
  (cat <&3; read -r _ _ _ parent _ </proc/self/stat; [ "$parent" = $$ ] && kill -9 $$) \
    >/dev/null 2>&1 &`;

/** kcat with an assignor of librdkafka. */
export function kcatMember(assignor: string, ...words: readonly string[]): MemberProgram {
  const settings = [
    "session.timeout.ms=6000",
    "heartbeat.interval.ms=500",
    "auto.commit.interval.ms=500",
    "auto.offset.reset=earliest",
    `partition.assignment.strategy=${assignor}`,
    ...words,
  ].flatMap((setting) => ["-X", setting]);
  const kcat = `exec kcat -b "$0" -G "$1" -u -f '%p %o %s\\n' ${settings.join(" ")} "$2"`;
  const shell = `${END_WITH_STARTER}\n${kcat} 3<&-`;
  return { title: `kcat, ${assignor}`, before: ["sh", "-c", shell], losesLast: true };
}

const python = process.env["MQ_CONFORM_PYTHON"] ?? "python3";
const jars = process.env["MQ_CONFORM_KAFKA_LIBS"] ??
  join(homedir(), ".cache", "mq-anchors", "kafka", "libs");

/** Started fast rather than run fast: a member lives for seconds. */
const JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"];
let classes: Promise<string> | undefined;

/** Where Member.class is; compiled once, for a start from the source takes seconds each time. */
function compiledMember(): Promise<string> {
  return classes ??= compileMember();
}

async function compileMember(): Promise<string> {
  const { path } = temporaryDirectory();
  const words = ["-cp", `${jars}/*`, "-d", path, `${folder}/Member.java`];
  const ended = await run("javac", words, { timeoutMs: COMPILE_TIMEOUT_MS });
  if (ended.status !== 0) throw new Error(`Cannot compile Member.java: ${ended.stderr}`);
  return path;
}

async function javaMember(protocol: string, instance?: string): Promise<MemberProgram> {
  return {
    title: `Java, ${protocol}${instance === undefined ? "" : ", static"}`,
    before: [...JAVA, "-cp", `${await compiledMember()}:${jars}/*`, "Member"],
    after: [protocol, ...(instance === undefined ? [] : [instance])],
    leftWith: JAVA_WAS_TERMINATED,
  };
}

/** Whether Kafka's own client and tools can be run. */
export async function hasKafkaJars(): Promise<boolean> {
  return existsSync(jars) && await hasProgram("javac");
}

/** Runs a tool of Kafka's and gives what it printed. */
export async function kafkaTool(name: string, words: readonly string[]): Promise<string> {
  const [java = "", ...quick] = JAVA;
  const ended = await run(java, [...quick, "-cp", `${jars}/*`, name, ...words]);
  if (ended.status !== 0) throw new Error(`Cannot run ${name}: ${ended.text}${ended.stderr}`);
  return ended.text;
}

interface MaybePresent {
  readonly program: MemberProgram;
  readonly isPresent: boolean;
}

/** Members of which some are on this machine and others are not; says which are not. */
export async function otherMembers(): Promise<readonly MaybePresent[]> {
  const found: MaybePresent[] = [];
  for (const [module, file, ...protocols] of PYTHON_MEMBERS) {
    // deno-lint-ignore no-await-in-loop -- a few, and rarely there
    const isPresent = await hasPython(module);
    for (const protocol of protocols) {
      const program = {
        title: `Python ${module}${protocol === "" ? "" : `, ${protocol}`}`,
        before: [python, `${folder}/${file}`],
        after: protocol === "" ? [] : [protocol],
      };
      found.push({ program, isPresent });
    }
  }
  const isJava = await hasKafkaJars();
  for (const protocol of ["classic", "consumer"]) {
    const program = isJava
      ? await javaMember(protocol)
      : { title: `Java, ${protocol}`, before: [] };
    found.push({ program, isPresent: isJava });
  }
  const absent = found.filter(({ isPresent }) => !isPresent);
  for (const { program } of absent) {
    process.stderr.write(`${program.title} is not installed: its tests are skipped\n`);
  }
  return found;
}

const PYTHON_MEMBERS = [
  ["confluent_kafka", "confluent_member.py", "classic", "consumer"],
  ["aiokafka", "aiokafka_member.py", ""],
  ["kafka", "kafka_python_member.py", ""],
] as const;

async function hasPython(module: string): Promise<boolean> {
  if (!await hasProgram(python)) return false;
  return (await run(python, ["-c", `import ${module}`])).status === 0;
}

export function staticKcat(instance: string): MemberProgram {
  return kcatMember("range", `group.instance.id=${instance}`);
}

export function staticJava(protocol: string, instance: string): Promise<MemberProgram> {
  return javaMember(protocol, instance);
}
