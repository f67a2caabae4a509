/** Ends this program when its stdin does, which is when whoever has started it is gone. */
import process from "node:process";

export function endWithStarter(): void {
  process.stdin.on("end", () => process.exit(1)).on("error", () => process.exit(1)).resume();
}
