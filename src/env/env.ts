/** Everything that reaches the outside, as one value handed down from where the program starts. */
import type { Crc32c } from "../ground/crc32c.ts";
import type { Clock } from "./clock.ts";
import type { Compressors } from "./compressor.ts";
import type { Crypto } from "./crypto.ts";
import type { Disk } from "./disk.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Trace } from "./trace.ts";

export interface Env {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly network: Network;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly compressors: Compressors;
  readonly crc32c: Crc32c;
  readonly trace: Trace;
}
