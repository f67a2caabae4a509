/**
 * A controller has two sources of metadata while its part in the quorum changes: its own log, and what it
 * fetches of the leader like a broker. Random changes of voters, cuts and lost disks make it switch between
 * them, with snapshots in between.
 *
 * That no image goes back, and that images are equal at equal offset, is looked at after every event.
 */
import process from "node:process";
import { describe, expect, test } from "bun:test";
import { ClientError } from "../../src/client/client_error.ts";
import { Prng } from "../../src/ground/prng.ts";
import { parseUuid, type Uuid } from "../../src/ground/uuid.ts";
import { AppliedImage } from "../../src/runtime/quorum/applied_image.ts";
import { MetadataFollower } from "../../src/runtime/quorum/metadata_follower.ts";
import { whyClusterIsNotWell } from "./cluster_state.ts";
import { reportFailure } from "./failure_report.ts";
import { replace, type Undo } from "./replace.ts";
import { runSimulation } from "./run_seed.ts";
import { KAFKA_PORT, type SimNode } from "./sim_node.ts";
import { drawOptions, type SimOptions } from "./sim_options.ts";
import type { Script, Stage } from "./stage.ts";

const SEED = Number(process.env["MQ_SEED"] ?? "1");
const ROUNDS = 12;
const REQUEST_MS = 2000;
const TRIES_MAX = 60;

function worldOf(seed: number): SimOptions {
  const { network, disk } = drawOptions(seed);
  return drawOptions(seed, {
    layout: "alike",
    nodes: 3,
    clients: 0,
    safetyMs: 3_600_000,
    faults: {},
    network: { ...network, bytesPerUs: 10, giveUpMs: 3000 },
    disk,
    settings: { "metadata.log.max.record.bytes.between.snapshots": "1500" },
  });
}

/** Whatever comes of it: nobody knows in a world like this. */
async function ask(stage: Stage, what: Parameters<typeof attempt>[1]): Promise<void> {
  await attempt(stage, what).catch((error: unknown) => {
    if (!(error instanceof ClientError)) throw error;
  });
}

async function attempt(
  stage: Stage,
  what: { readonly create: string } | { readonly remove: SimNode } | { readonly add: SimNode },
): Promise<void> {
  const client = stage.client(undefined, REQUEST_MS);
  try {
    if ("create" in what) {
      const topic = { name: what.create, partitions: 2, replicationFactor: 1, configs: {} };
      await client.admin.createTopics([topic]);
      return;
    }
    const node = "remove" in what ? what.remove : what.add;
    const nodeId = stage.idOf(node);
    const { voters } = await client.admin.describeQuorum();
    const voter = voters.find((one) => one.nodeId === nodeId);
    const directoryId = parseUuid(
      "remove" in what ? voter?.directoryId ?? "" : node.directoryId() ?? "",
    );
    if (directoryId === undefined) return;
    await ("remove" in what
      ? client.admin.removeVoter({ nodeId, directoryId })
      : client.admin.addVoter(placeOf(node, nodeId, directoryId)));
  } finally {
    await client.close();
  }
}

function placeOf(node: SimNode, nodeId: number, directoryId: Uuid): {
  readonly nodeId: number;
  readonly directoryId: Uuid;
  readonly listeners: readonly { name: string; host: string; port: number }[];
} {
  return {
    nodeId,
    directoryId,
    listeners: [{ name: "PLAINTEXT", host: node.process.name, port: KAFKA_PORT }],
  };
}

function script(seed: number): Script {
  const chance = new Prng(seed);
  let number = 0;
  const create = async (stage: Stage, count: number): Promise<void> => {
    // deno-lint-ignore no-await-in-loop -- one after the other
    for (let made = 0; made < count; made++) await ask(stage, { create: `t${number++}` });
  };
  return async (stage) => {
    await stage.allServe();
    for (let round = 0; round < ROUNDS; round++) {
      const node = stage.node(1 + chance.below(3));
      // deno-lint-ignore no-await-in-loop -- one after the other
      await ask(stage, { remove: node });
      if (chance.oneIn(2)) stage.cutOff(node);
      const isLost = chance.oneIn(3);
      if (isLost) {
        // deno-lint-ignore no-await-in-loop
        await stage.until("it has no vote any more", () => {
          const leader = stage.world.nodes.find((one) => one !== node && one.isActiveController);
          const { voters = [] } = leader?.quorum?.node.status().configuration ?? {};
          return leader !== undefined && voters.every(({ id }) => id !== stage.idOf(node));
        }).then(() => {
          node.hold();
          node.loseDisk();
        }, () => undefined);
      }
      // deno-lint-ignore no-await-in-loop
      await create(stage, chance.below(6));
      node.release();
      stage.heal();
      // In half of all rounds the image is fed by the leader before the own log is.
      if (chance.oneIn(2)) {
        // deno-lint-ignore no-await-in-loop
        await stage.sleep(3000);
        // deno-lint-ignore no-await-in-loop
        await create(stage, chance.below(4));
      }
      // deno-lint-ignore no-await-in-loop
      await Promise.all([
        ask(stage, { add: node }),
        create(stage, 1 + chance.below(4)),
      ]);
      if (chance.oneIn(2)) node.kill(1000 * chance.below(2000));
      // deno-lint-ignore no-await-in-loop
      await untilAllVote(stage, node);
    }
  };
}

/** Asks for its vote again, until it has it and all is well. */
async function untilAllVote(stage: Stage, node: SimNode): Promise<void> {
  const { nodes } = stage.world;
  const isWell = (): boolean => {
    const leader = nodes.find(({ isActiveController }) => isActiveController);
    const { voters = [] } = leader?.quorum?.node.status().configuration ?? {};
    return voters.length === nodes.length && whyClusterIsNotWell(nodes) === undefined;
  };
  for (let tries = 0; tries < TRIES_MAX && !isWell(); tries++) {
    // deno-lint-ignore no-await-in-loop -- again and again
    await ask(stage, { add: node });
    // deno-lint-ignore no-await-in-loop
    await stage.sleep(REQUEST_MS);
  }
  stage.expect(isWell(), "all are well, and vote");
}

describe("metadata from two sides", () => {
  let followed = 0;
  let older = 0;

  for (const seed of [SEED, SEED + 1, SEED + 2]) {
    test(`seed ${seed}: an image never goes back, and is equal at equal offset`, async () => {
      const undo = [
        before(MetadataFollower.prototype, "start", () => followed++),
        before(AppliedImage.prototype, "replace", (state, { id }) => {
          if (id.offset < state.appliedOffset) older++;
        }),
      ];
      const result = await runSimulation(worldOf(seed), script(seed)).finally(() => {
        for (const one of undo) one();
      });
      expect(result.failure === undefined ? "ok" : reportFailure(result)).toBe("ok");
    });
  }

  test("either side came first", () => {
    expect(followed).toBeGreaterThan(ROUNDS);
    expect(older).toBeGreaterThan(0);
  });
});

/** Looks at what a method is called with. */
function before<Owner extends object, Name extends keyof Owner>(
  owner: Owner,
  name: Name,
  look: (self: Owner, ...words: WordsOf<Owner[Name]>) => void,
): Undo {
  const original = owner[name] as (...words: WordsOf<Owner[Name]>) => unknown;
  return replace(owner, name, function (this: Owner, ...words: WordsOf<Owner[Name]>): unknown {
    look(this, ...words);
    return original.apply(this, words);
  });
}

type WordsOf<Method> = Method extends (...words: infer Words) => unknown ? Words : never;
