/**
 * Asks before something is destroyed. Never where nobody can answer: then --yes is required, and
 * nothing has been changed.
 */
import type { Context } from "./context.ts";
import { Failure, usageFailure } from "./failure.ts";

const ANSWER_BYTES = 256;

/** Returns where the answer is yes; throws otherwise. `what` reads "Delete 2 topics (a, b)". */
export async function confirm({ flags, io }: Context, what: string): Promise<void> {
  if (flags.isSet("yes")) return;
  const isForbidden = flags.isSet("no-input") || (io.environment["MQ_NO_INPUT"] ?? "") !== "";
  if (isForbidden || !io.stdin.isTerminal || !io.stderr.isTerminal) {
    throw usageFailure(
      `${what}: not without a confirmation, and there is no terminal to ask on`,
      "Say --yes to go ahead",
    );
  }
  io.stderr.write(`${what}? [y/N] `);
  const room = new Uint8Array(ANSWER_BYTES);
  const count = await io.stdin.read(room);
  const answer = new TextDecoder().decode(room.subarray(0, count)).trim();
  if (!/^y(es)?$/i.test(answer)) throw new Failure("DECLINED", "Nothing was changed");
}
