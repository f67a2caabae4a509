/** The command line of the simulator. */
export interface SimArguments {
  readonly seeds: number;
  readonly from: number;
  readonly hours: number;
  readonly jobs: number;
  readonly nodes: number | undefined;
  readonly twice: boolean;
  readonly keep: boolean;
  readonly shrink: boolean;
  readonly coverage: boolean;
  /** Of one seed, and nothing else is told. */
  readonly isHashAsked: boolean;
  readonly isCorpusSkipped: boolean;
  /** Options as JSON, over those that are drawn. */
  readonly given: string;
  /** All options as JSON: one simulation. */
  readonly replay: string | undefined;
}

export const USAGE = `bun test/sim/main.ts [--seeds N] [--from S] [--hours H] [--jobs J] [--nodes N]
    [--twice] [--no-keep] [--shrink] [--coverage] [--no-corpus] [--hash] [--given JSON] [--replay JSON]

  --seeds N     simulations, each of another seed (100); with --hours as many as there is time for
  --from S      the first seed (1)
  --jobs J      processes (1)
  --nodes N     broker nodes of each world
  --twice       every seed a second time, which must have the same trace
  --no-keep     failing seeds are not kept in test/sim/corpus
  --shrink      a failing simulation is made smaller before it is told
  --hash        the trace hash of the seed --from, and nothing else
  --coverage    how often which fault met which phase
  --given JSON  options over those that a seed draws
  --replay JSON exactly this simulation`;

export function parseArguments(words: readonly string[]): SimArguments | string {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (let at = 0; at < words.length; at++) {
    const name = words[at] as string;
    if (FLAGS.includes(name)) flags.add(name);
    else if (VALUES.includes(name)) values.set(name, words[++at] ?? "");
    else return `Unknown argument ${name}\n${USAGE}`;
  }
  const number = (name: string, otherwise: number): number => Number(values.get(name) ?? otherwise);
  return {
    seeds: number("--seeds", values.has("--hours") ? Infinity : 100),
    from: number("--from", 1),
    hours: number("--hours", Infinity),
    jobs: number("--jobs", 1),
    nodes: values.has("--nodes") ? number("--nodes", 1) : undefined,
    twice: flags.has("--twice"),
    keep: !flags.has("--no-keep"),
    shrink: flags.has("--shrink"),
    coverage: flags.has("--coverage"),
    isHashAsked: flags.has("--hash"),
    isCorpusSkipped: flags.has("--no-corpus"),
    given: values.get("--given") ?? "{}",
    replay: values.get("--replay"),
  };
}

const FLAGS = ["--twice", "--no-keep", "--shrink", "--coverage", "--no-corpus", "--hash"];
const VALUES = ["--seeds", "--from", "--hours", "--jobs", "--nodes", "--given", "--replay"];
