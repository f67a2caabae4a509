/**
 * The language of the scenario scripts in `test/scenario/group/classic/*.txt`: one command a line, and
 * below `----` what came of it. Several commands may stand above one `----`.
 *
 * ```
 *   join a [v=9] [id=a#1] [instance=i1] [session=10000] [rebalance=60000] [type=consumer]
 *          [protocols=range:x,roundrobin:y] [reason=why]       what a client said, it says again
 *   client a [the same]                          it will say so when it joins
 *   sync a [v=5] [id=…] [generation=1] [type=…] [protocol=…] [assign=a#1:x,b#1:y]
 *   heartbeat a [id=…] [generation=…]            commit a [generation=…]
 *   leave a [v=5] [id=…] [instance=…] [reason=…]
 *   remove a#1 /i1                               an administrator's LeaveGroup, by id or instance
 *   forget a                                     the client starts anew, without its member id
 *   settle a b c, gather a b c, sync-all a b c   all of it; join rounds only; syncs only
 *   pass 5000                                    time passes
 *   crash                                        the coordinator's successor reads the log
 *   close-log, open-log                          the log refuses records
 *   settings initial-delay=3000 max-size=2
 *   status   history   describe   waiting
 * ```
 */
import { errorName } from "../../../src/api/error_code.ts";
import { textOf } from "../../../src/ground/text.ts";
import type { LeaveGroupRequest } from "../../../src/group/group_request.ts";
import { type JoinOptions, type SyncOptions, World } from "./world.ts";

type Words = readonly string[];
type Leaving = LeaveGroupRequest["body"]["members"][number];
type Action = (world: World, words: Words) => readonly string[] | void;

const SETTINGS: { readonly [word: string]: "groupInitialRebalanceDelayMs" | "groupMaxSize" } = {
  "initial-delay": "groupInitialRebalanceDelayMs",
  "max-size": "groupMaxSize",
};

const COMMANDS: { readonly [name: string]: Action } = {
  "client": (world, [name = "", ...rest]) => {
    const client = world.client(name);
    client.join = joinOptions(world, rest);
    client.instance = client.join.instance ?? null;
  },
  "join": (world, [name = "", ...rest]) => void world.join(name, joinOptions(world, rest)),
  "sync": (world, [name = "", ...rest]) => void world.sync(name, syncOptions(world, rest)),
  "heartbeat": (world, [name = "", ...rest]) => {
    const id = option(rest, "id");
    const generation = option(rest, "generation");
    world.heartbeat(name, {
      ...(id === undefined ? {} : { memberId: world.idOf(id) }),
      ...(generation === undefined ? {} : { generationId: Number(generation) }),
    });
  },
  "commit": (world, [name = "", ...rest]) => {
    const generation = option(rest, "generation");
    const code = world.commit(
      name,
      generation === undefined ? {} : { generationIdOrMemberEpoch: Number(generation) },
    );
    return [`${name} <- commit ${errorName(code)}`];
  },
  "leave": (world, [name = "", ...rest]) => {
    const client = world.client(name);
    const leaving: Leaving = {
      memberId: world.idOf(option(rest, "id") ?? client.memberId),
      groupInstanceId: option(rest, "instance") ?? client.instance,
      reason: option(rest, "reason") ?? null,
    };
    world.leave(name, [leaving], Number(option(rest, "v") ?? 5));
  },
  "remove": (world, words) =>
    void world.leave(
      "admin",
      words.map((word) =>
        word.startsWith("/")
          ? { memberId: "", groupInstanceId: word.slice(1), reason: null }
          : { memberId: world.idOf(word), groupInstanceId: null, reason: null }
      ),
    ),
  "forget": (world, [name = ""]) => {
    world.client(name).memberId = "";
  },
  "settle": (world, words) => world.settle(...words),
  "gather": (world, words) => world.gather(...words),
  "sync-all": (world, words) => world.syncAll(...words),
  "pass": (world, [ms]) => world.pass(Number(ms)),
  "crash": (world) => world.crash(),
  "close-log": (world) => {
    world.isLogOpen = false;
  },
  "open-log": (world) => {
    world.isLogOpen = true;
  },
  "settings": (world, words) => {
    for (const [word, setting] of Object.entries(SETTINGS)) {
      const value = option(words, word);
      if (value !== undefined) world.settings = { ...world.settings, [setting]: Number(value) };
    }
  },
  "status": (world) => {
    const { group } = world;
    const members = Array.from(group.members(), ({ memberId }) => world.nameOf(memberId));
    return [
      `${group.state()} generation=${group.generationId()}` +
      ` leader=${world.nameOf(group.leaderId() ?? "")} members=[${members.join(" ")}]`,
    ];
  },
  "describe": (world) => {
    const described = world.group.describe(false);
    const { groupState, protocolType, protocolData } = described;
    return [
      `${groupState} type=${protocolType || "-"} protocol=${protocolData || "-"}`,
      ...described.members.map((member) =>
        `${world.nameOf(member.memberId)} instance=${member.groupInstanceId ?? "-"}` +
        ` client=${member.clientId} host=${member.clientHost}` +
        ` says=${textOf(member.memberMetadata) || "-"} has=${
          textOf(member.memberAssignment) || "-"
        }`
      ),
    ];
  },
  "history": (world) =>
    world.group.history.entries().map(({ generation, memberCount, durationMs, reason }) =>
      `generation=${generation} members=${memberCount} ` +
      `${durationMs < 0 ? "goes on" : `took ${durationMs} ms`}: ${shortened(world, reason)}`
    ),
  "waiting": (world) => [`${world.waitingCount} wait`],
};

/** The reason with short names for member ids. */
function shortened(world: World, reason: string): string {
  return reason.replace(
    /\S+-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g,
    (id) => world.nameOf(id),
  );
}

function joinOptions(world: World, words: Words): JoinOptions {
  const [id, version, reason] = [option(words, "id"), option(words, "v"), option(words, "reason")];
  const [session, rebalance] = [option(words, "session"), option(words, "rebalance")];
  const [instance, type, protocols] = ["instance", "type", "protocols"].map((word) =>
    option(words, word)
  );
  return {
    ...(id === undefined ? {} : { memberId: world.idOf(id) }),
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(reason === undefined ? {} : { reason }),
    ...(session === undefined ? {} : { sessionMs: Number(session) }),
    ...(rebalance === undefined ? {} : { rebalanceMs: Number(rebalance) }),
    ...(instance === undefined ? {} : { instance }),
    ...(type === undefined ? {} : { type }),
    ...(protocols === undefined ? {} : { protocols: pairsOf(protocols) }),
  };
}

function syncOptions(world: World, words: Words): SyncOptions {
  const [id, version] = [option(words, "id"), option(words, "v")];
  const [generation, assign] = [option(words, "generation"), option(words, "assign")];
  const [protocolType, protocolName] = [option(words, "type"), option(words, "protocol")];
  return {
    ...(id === undefined ? {} : { memberId: world.idOf(id) }),
    ...(version === undefined ? {} : { version: Number(version) }),
    ...(generation === undefined ? {} : { generation: Number(generation) }),
    ...(protocolType === undefined ? {} : { protocolType }),
    ...(protocolName === undefined ? {} : { protocolName }),
    ...(assign === undefined
      ? {}
      : { assignments: new Map(pairsOf(assign).map(([name, text]) => [world.idOf(name), text])) }),
  };
}

/** `a:x,b:y` */
function pairsOf(text: string): readonly (readonly [string, string])[] {
  return text.split(",").filter((pair) => pair !== "").map((pair) => {
    const [name = "", value = ""] = pair.split(":");
    return [name, value];
  });
}

function option(words: Words, name: string): string | undefined {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Runs one command; what came of it. */
export function run(world: World, command: string): readonly string[] {
  const [name = "", ...words] = command.split(/\s+/);
  const action = COMMANDS[name];
  if (action === undefined) throw new Error(`unknown command "${name}"`);
  world.lines = [];
  const said = action(world, words) ?? [];
  return [...world.lines, ...said];
}
