/** The outside world as it is: every interface of `env/` with this runtime behind it. */
import type { Env } from "../env/env.ts";
import type { Trace } from "../env/trace.ts";
import { SystemClock } from "./clock.ts";
import { createHostCompressors } from "./compressor.ts";
import { loadCrc32c } from "./crc32c.ts";
import { createHostDisk } from "./disk.ts";
import { TcpNetwork } from "./network.ts";
import { SystemCrypto, systemRandom } from "./random.ts";
import { SILENT_TRACE } from "./trace.ts";

/** The runtime's own, with log lines going to `trace` (to nobody by default). */
export function createHostEnv(options: { readonly trace?: Trace } = {}): Env {
  return {
    clock: new SystemClock(),
    disk: createHostDisk(),
    network: new TcpNetwork(),
    random: systemRandom(),
    crypto: new SystemCrypto(),
    compressors: createHostCompressors(),
    crc32c: loadCrc32c().crc32c,
    trace: options.trace ?? SILENT_TRACE,
  };
}

/** Which implementations were chosen on this machine, for `mq version`. */
export function implementations(): Readonly<Record<string, string>> {
  const { gzip, snappy, lz4, zstd } = createHostCompressors();
  return {
    crc32c: loadCrc32c().implementation,
    gzip: gzip.implementation,
    snappy: snappy.implementation,
    lz4: lz4.implementation,
    zstd: zstd.implementation,
  };
}
