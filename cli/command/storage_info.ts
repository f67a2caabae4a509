/** `mq storage info`: what lies in data directories, by names and sizes; no log is read. */
import { formatBytes } from "../byte_size.ts";
import type { CommandSpec } from "../command_spec.ts";
import type { Context, Library } from "../context.ts";
import { dataPath, defaultDataDirectory } from "../data_path.ts";
import { ExitCode } from "../exit_code.ts";
import type { Table } from "../table.ts";
import type { StoredDirectory } from "../../src/mod.ts";

type LockOwner = ReturnType<Library["lockOwner"]>;

export const storageInfo: CommandSpec = {
  path: "storage info",
  summary: "Show data directories: whose, how full, which partitions (offline)",
  arguments: [{ name: "DIR", isOptional: true, isMany: true }],
  flags: [],
  details: [
    "Without DIR it is the directory that mq broker start takes by default. Only names, sizes and " +
    "checkpoints are looked at, so it is quick, also beside a running broker. END-OFFSET is what those " +
    "say: the log may end behind it. DELETED and REPAIR are bytes that wait to be removed, and that " +
    "mq log repair has kept.",
    "state is running (a broker has the lock), clean (the last one stopped in order) or unclean. " +
    "reserve is what a broker keeps free: the default of mq.disk.reserve.bytes, and at most a " +
    "sixteenth of the file system. With less free no records are taken.",
    "--json gives a list with an object for each directory.",
  ],
  examples: [
    ["The default directory", "mq storage info"],
    ["What takes the room", "mq storage info data | head"],
    ["Free bytes for a check", "mq storage info data --json | jq '.[0].freeBytes'"],
  ],
  run: info,
};

interface Shown {
  readonly stored: StoredDirectory;
  readonly owner: LockOwner;
}

async function info(context: Context): Promise<ExitCode> {
  const { printer } = context;
  const library = await context.library();
  const tools = new library.OfflineTools(library.createHostEnv());
  const typed = context.arguments.length > 0
    ? context.arguments.map((path) => dataPath(context, path))
    : [defaultDataDirectory(context)];
  const shown: Shown[] = [];
  for (const path of typed) {
    // deno-lint-ignore no-await-in-loop -- one disk after the other
    const stored = await tools.storageInfo(path);
    const owner = stored.state === "running" ? library.lockOwner(`${path}/.lock`) : undefined;
    shown.push({ stored, owner });
  }
  if (printer.isJson) await printer.printJson(shown.map(directoryDocument));
  else for (const each of shown) await printDirectory(context, each);
  return ExitCode.Done;
}

function directoryDocument({ stored, owner }: Shown): object {
  const lockedBy = owner === undefined
    ? null
    : { processId: owner.processId, command: owner.command ?? null };
  return { ...stored, lockedBy };
}

async function printDirectory(context: Context, shown: Shown): Promise<void> {
  const { printer, io } = context;
  const { stored } = shown;
  if (printer.format === "name") {
    return await printer.printLines(stored.partitions.map(({ path }) => path));
  }
  const isTerminal = io.stdout.isTerminal;
  const size = (bytes: number | null): string =>
    bytes === null ? "-" : isTerminal ? formatBytes(bytes) : String(bytes);
  if (printer.format !== "csv") {
    await printer.printLines(
      facts(shown, size).map(([name, value]) => `${printer.out.bold(name)}\t${value}`),
    );
    await printer.print("\n");
  }
  await printer.printList({
    names: [],
    items: stored.partitions,
    table: partitionTable(stored, size),
  });
  if (printer.format !== "csv") await printer.print("\n");
}

function facts(
  { stored, owner }: Shown,
  size: (bytes: number | null) => string,
): readonly (readonly [string, string])[] {
  const asideBytes = stored.aside.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0);
  const held = owner === undefined
    ? stored.state
    : `${stored.state} (process ${owner.processId}: ${owner.command ?? "?"})`;
  return [
    ["path", stored.path],
    ["state", held],
    ["cluster", stored.clusterId ?? "-"],
    ["node", String(stored.nodeId ?? "-")],
    ["directory", stored.directoryId ?? "-"],
    ...(stored.identityFlaw === null
      ? []
      : [["flaw", `meta.properties: ${stored.identityFlaw}`] as const]),
    ["free", size(stored.freeBytes)],
    ["total", size(stored.totalBytes)],
    ["reserve", size(stored.reserveBytes)],
    ["used", size(stored.sizeInBytes)],
    ["partitions", String(stored.partitions.length)],
    ["set-aside", `${stored.aside.length} folders, ${size(asideBytes)}`],
    ["foreign", stored.foreign.join(" ") || "-"],
  ];
}

function partitionTable(stored: StoredDirectory, size: (bytes: number) => string): Table {
  return {
    columns: [
      "TOPIC",
      "PARTITION",
      "SIZE",
      "SEGMENTS",
      "START-OFFSET",
      "END-OFFSET",
      "RECOVERY-POINT",
      "DELETED",
      "REPAIR",
    ],
    rows: stored.partitions.map((partition) => [
      partition.topic,
      partition.partition,
      size(partition.sizeInBytes),
      partition.segments,
      partition.startOffset,
      partition.endOffset,
      partition.recoveryPoint,
      size(partition.deletedBytes),
      size(partition.repairBytes),
    ]),
  };
}
