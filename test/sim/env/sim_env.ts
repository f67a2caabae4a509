/** The whole `Env` of one life of a process. */
import type { Env } from "../../../src/env/env.ts";
import type { TraceFields, TraceLevel } from "../../../src/env/trace.ts";
import { crc32cTables } from "../../../src/ground/crc32c.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import { createHostCompressors } from "../../../src/host/compressor.ts";
import type { Life } from "../life.ts";
import type { Scheduler } from "../scheduler.ts";
import type { DiskFaults } from "./disk_faults.ts";
import type { DiskMedia } from "./disk_media.ts";
import { type MachineClock, SimClock } from "./sim_clock.ts";
import { SimDisk } from "./sim_disk.ts";
import type { SimNetwork } from "./sim_network.ts";

export type OnTrace = (
  life: Life,
  level: TraceLevel,
  message: string,
  fields: TraceFields | undefined,
) => void;

export interface SimEnvOptions {
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  readonly life: Life;
  readonly host: string;
  readonly machine: MachineClock;
  readonly media: DiskMedia;
  readonly faults: DiskFaults;
  readonly filesMax: number;
  readonly timerLateUsMax: number;
  /** Of this life alone. */
  readonly chance: Prng;
  readonly onTrace: OnTrace;
}

export function createSimEnv(options: SimEnvOptions): Env {
  const { scheduler, network, life, host, machine, chance, onTrace } = options;
  const entropy = chance.fork();
  return {
    clock: new SimClock({
      scheduler,
      life,
      machine,
      chance: chance.fork(),
      lateUsMax: options.timerLateUsMax,
    }),
    disk: new SimDisk(options),
    network: network.facade(life, host),
    random: chance.fork(),
    crypto: { randomBytes: (count) => entropy.bytes(count) },
    compressors: createHostCompressors(),
    crc32c: crc32cTables,
    trace: {
      event: (level, message, fields) => {
        if (life.isAlive) onTrace(life, level, message, fields);
      },
    },
  };
}
