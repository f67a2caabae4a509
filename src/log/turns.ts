/**
 * One after the other: what changes a log over several steps does not meet half of another change.
 *
 * Who comes when nobody is at it begins at once, within the call.
 */

export class Turns {
  #last: Promise<unknown> | undefined;

  /** Runs `action` when all that came before is done, however it ended. */
  take<Result>(action: () => Promise<Result>): Promise<Result> {
    const turn = this.#last === undefined ? action() : this.#last.then(action, action);
    this.#last = turn;
    const settle = (): void => {
      if (this.#last === turn) this.#last = undefined;
    };
    turn.then(settle, settle);
    return turn;
  }
}
