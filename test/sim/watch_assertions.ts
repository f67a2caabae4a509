/**
 * Hears of every assertion that fails, in the moment it does, also where somebody catches it.
 *
 * A class calls the constructor of whatever its prototype is at that time: for the length of a
 * simulation that is one that tells.
 */
import { AssertionFailure } from "../../src/ground/assert.ts";

/** Until the function that it gives back is called. */
export function watchAssertions(onFailed: (failure: Error) => void): () => void {
  class ToldError extends Error {
    constructor(message: string) {
      super(message);
      onFailed(this);
    }
  }
  Object.setPrototypeOf(AssertionFailure, ToldError);
  return () => void Object.setPrototypeOf(AssertionFailure, Error);
}
