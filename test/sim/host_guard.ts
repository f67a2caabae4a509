/**
 * While a simulation runs, nothing may come from the host: its clocks, timers, chance and network throw,
 * and say who asked.
 */

/** Thrown by what is forbidden; a simulation that sees one has failed. */
export class HostUsed extends Error {
  override readonly name = "HostUsed";
}

const FORBIDDEN: readonly (readonly [owner: object, name: string])[] = [
  [globalThis, "setTimeout"],
  [globalThis, "setInterval"],
  [globalThis, "setImmediate"],
  [globalThis, "fetch"],
  [Math, "random"],
  [Date, "now"],
  [performance, "now"],
];

/** Runs the action with the host out of reach. `onUsed` hears of every try, also of one that was caught. */
export function withoutHost<Result>(
  onUsed: (what: HostUsed) => void,
  action: () => Result,
): Result {
  const kept = FORBIDDEN.map(([owner, name]) => {
    return [owner, name, (owner as Record<string, unknown>)[name]] as const;
  });
  const mayForbid = (owner: object, name: string): boolean => {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    return descriptor === undefined || descriptor.writable === true || descriptor.set !== undefined;
  };
  for (const [owner, name] of FORBIDDEN) {
    if (!mayForbid(owner, name)) continue;
    (owner as Record<string, unknown>)[name] = () => {
      const used = new HostUsed(`${name} of the host was used inside a simulation`);
      onUsed(used);
      throw used;
    };
  }
  try {
    return action();
  } finally {
    for (const [owner, name, value] of kept) {
      if (mayForbid(owner, name)) (owner as Record<string, unknown>)[name] = value;
    }
  }
}
