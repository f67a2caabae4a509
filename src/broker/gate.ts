/** Lets nobody through until it is opened; who waits hears whether it ever was. */
export class Gate {
  #state: "shut" | "open" | "gone" = "shut";
  #waiting: ((isOpen: boolean) => void)[] = [];

  get isOpen(): boolean {
    return this.#state === "open";
  }

  whenOpen(): Promise<boolean> {
    if (this.#state !== "shut") return Promise.resolve(this.isOpen);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  open(): void {
    this.#settle("open");
  }

  /** It will not be opened any more. */
  abandon(): void {
    this.#settle("gone");
  }

  #settle(state: "open" | "gone"): void {
    if (this.#state !== "shut") return;
    this.#state = state;
    for (const resolve of this.#waiting.splice(0)) resolve(this.isOpen);
  }
}
