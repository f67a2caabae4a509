/** Chance for choices that no adversary cares about: jitter, placement. Seeded in the simulator. */
export interface Random {
  /** 0 … 2^32 − 1. */
  u32(): number;
  /** 0 … bound − 1. */
  below(bound: number): number;
}
