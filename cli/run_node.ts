/**
 * Running a node in the foreground until a signal: what `mq broker start` and `mq controller start`
 * have in common.
 *
 * It says that it serves twice: in the ready file, written whole or not at all, and in one line on
 * stdout, `mq ready kafka=HOST:PORT http=http://HOST:PORT`, that other programs may wait for. Its log
 * goes to stderr, or to --log-file.
 */
import { type BrokerPlaces, brokerSettings } from "./broker_options.ts";
import type { FlagSpec } from "./command_spec.ts";
import type { Context, Library } from "./context.ts";
import { defaultDataDirectory } from "./data_path.ts";
import { ExitCode } from "./exit_code.ts";
import { attempt, BrokenPipe, failedAction, failureOf, usageFailure } from "./failure.ts";
import { toText } from "./record_text.ts";

type Broker = Awaited<ReturnType<Library["startBroker"]>>;
type Env = ReturnType<Library["createHostEnv"]>;

/** Flags of every node, whatever its roles. */
export const nodeFlags: readonly FlagSpec[] = [
  {
    name: "config",
    short: "c",
    value: "FILE",
    summary: "settings in Kafka's names, as in server.properties",
  },
  {
    name: "set",
    short: "X",
    value: "NAME=VALUE",
    isList: true,
    summary: "one setting; goes before the file",
  },
  {
    name: "dev",
    summary: "throw-away: any free port, a temporary directory, no waiting for the disk",
  },
  {
    name: "data-dir",
    value: "DIR",
    summary: "where data is kept: log.dirs (else $XDG_DATA_HOME/mq or ~/.local/share/mq)",
  },
  {
    name: "listen",
    value: "ADDR",
    summary: "HOST:PORT, PORT on 127.0.0.1, :PORT on all interfaces: listeners (127.0.0.1:9092)",
  },
  {
    name: "advertise",
    value: "ADDR",
    summary: "the address that clients are told: advertised.listeners",
  },
  {
    name: "http",
    value: "ADDR",
    summary: "address of health and metrics, or off: mq.http.listener (127.0.0.1:9644)",
  },
  { name: "node-id", value: "N", summary: "identity of this node: node.id" },
  {
    name: "controller-quorum",
    value: "LIST",
    summary: "voters, ID@HOST:PORT,…; HOST:PORT,… of any for a node that joins later",
  },
  {
    name: "cluster-id",
    value: "ID",
    summary: "the cluster that an empty directory is made for: mq.cluster.id",
  },
  {
    name: "rack",
    value: "NAME",
    summary: "where it stands; replicas are spread over racks: broker.rack",
  },
  {
    name: "ready-file",
    value: "FILE",
    summary: "write JSON with the bound addresses when it serves",
  },
  { name: "pid-file", value: "FILE", summary: "write the process id when it serves" },
  { name: "log-file", value: "FILE", summary: "add log lines to this file, not to stderr" },
  {
    name: "log-level",
    value: "LEVEL",
    choices: ["debug", "info", "warn", "error"],
    summary: "debug, info, warn or error",
  },
  {
    name: "log-format",
    value: "FORMAT",
    choices: ["auto", "text", "json"],
    summary: "text, json, or auto: text on a terminal",
  },
  { name: "strict", summary: "refuse to start with a setting that is not known" },
];

/** Runs it; `roles` are given where the command says what it is. */
export async function runNode(context: Context, roles?: string): Promise<ExitCode> {
  const { flags, io, lifeline, printer } = context;
  lifeline.mayTakeLong = true;
  const places = brokerPlaces(context);
  const isThrowAway = flags.isSet("dev");
  const { settings, isDataGiven, conflicts } = brokerSettings(flags, places, roles);
  for (const conflict of conflicts) printer.warn(conflict);
  const library = await context.library();
  warnOfUnknown(context, library, settings);
  const temporary = isThrowAway && !isDataGiven ? io.files.temporaryDirectory() : undefined;
  const chosen = temporary === undefined
    ? settings
    : new Map([...settings, ["log.dirs", temporary]]);
  const marks = ["ready-file", "pid-file"].flatMap((name) => flags.list(name));
  for (const path of marks) io.files.remove(path); // they would tell of a broker of the past
  try {
    const env = library.createHostEnv({ trace: createTrace(context, library) });
    const broker = await library.startBroker({ settings: chosen, env, signal: lifeline.signal })
      .catch((error: unknown) => {
        if (!lifeline.isInterrupted) throw error;
        return undefined; // it was told to stop before it served, and has
      });
    if (broker === undefined) return ExitCode.Done;
    lifeline.onSecondSignal(() => broker.halt());
    try {
      await announce(context, broker, chosen.get("process.roles")?.includes("broker") ?? true);
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return await untilEnd(context, broker);
  } finally {
    for (const path of marks) io.files.remove(path);
    if (temporary !== undefined) io.files.remove(temporary);
  }
}

function brokerPlaces(context: Context): BrokerPlaces {
  const { flags, io } = context;
  const path = flags.text("config");
  return {
    dataDirectory: defaultDataDirectory(context),
    file: path === undefined
      ? undefined
      : toText(attempt(`Cannot read settings from ${path}`, () => io.files.read(path))),
  };
}

function warnOfUnknown(
  { printer, flags }: Context,
  library: Library,
  settings: ReadonlyMap<string, string>,
): void {
  for (const { kind, message } of new library.BrokerSettings(settings).problems()) {
    if (kind !== "unknown") continue; // a wrong value keeps the broker from starting anyway
    if (flags.isSet("strict")) throw usageFailure(message, "--strict refuses what is not known");
    // The broker tells it in its log; who does not see that is told here.
    if (flags.isSet("log-file")) printer.warn(message);
  }
}

function createTrace(context: Context, library: Library): Env["trace"] {
  const { flags, io, printer } = context;
  const path = flags.text("log-file");
  const write = path === undefined
    ? (line: string): void => io.stderr.write(`${line}\n`)
    : logFile(path, context);
  const format = flags.text("log-format") ?? "auto";
  const isText = format === "auto" ? path === undefined && io.stderr.isTerminal : format === "text";
  const level = printer.isVerbose ? "debug" : printer.isQuiet ? "warn" : "info";
  return library.createTrace({
    level: (flags.text("log-level") ?? level) as "debug" | "info" | "warn" | "error",
    format: isText ? "text" : "json",
    write,
  });
}

/** A broker outlives a log that cannot be written: it is told on stderr, once each time it begins. */
function logFile(path: string, { io, printer }: Context): (line: string) => void {
  const append = attempt(`Cannot write log to ${path}`, () => io.files.append(path));
  let isFailing = false;
  return (line) => {
    try {
      append(line);
      isFailing = false;
    } catch (error) {
      if (!isFailing) printer.warn(failedAction(`Cannot write log to ${path}`, error).message);
      isFailing = true;
    }
  };
}

async function announce(
  { flags, io, printer }: Context,
  broker: Broker,
  hasTopics: boolean,
): Promise<void> {
  const { kafka, http, clusterId, nodeId } = broker;
  const write = (flag: string, text: string): void => {
    const path = flags.text(flag);
    if (path === undefined) return;
    attempt(`Cannot write ${path}`, () => io.files.replace(path, `${text}\n`));
  };
  write("pid-file", String(io.pid));
  write("ready-file", JSON.stringify({ kafka, http, pid: io.pid, clusterId, nodeId }));
  try {
    await printer.print(`mq ready kafka=${kafka} http=${http ?? "off"}\n`);
  } catch (error) {
    // Nobody waits for the line, or stdout is full: serve all the same.
    if (!(error instanceof BrokenPipe)) printer.warn(failureOf(error).message);
  }
  if (!hasTopics) return;
  if (kafka.endsWith(":9092")) printer.remark("try: echo hello | mq produce greetings");
  else printer.remark(`try: export MQ_BROKERS=${kafka}; echo hello | mq produce greetings`);
}

/** Until a signal stops it in order, or it stops by itself, which is a failure. */
async function untilEnd({ lifeline }: Context, broker: Broker): Promise<ExitCode> {
  const { signal } = lifeline;
  const onAbort = (): void => void broker.stop();
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  const stop = await broker.stopped;
  if (stop.kind !== "failed") return ExitCode.Done;
  throw failureOf(stop.fault);
}
