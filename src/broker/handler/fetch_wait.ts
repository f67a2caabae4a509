/**
 * Waiting for records: until one of some partitions moves, the time is over, or the client has gone.
 * A move that cannot have brought enough wakes nobody.
 *
 * A move between two waits is not lost: 1. the watch is set before the partitions are read, 2. a
 * partition moves while a read waits for the disk, 3. `untilMoved` then returns at once.
 */
import type { Clock } from "../../env/clock.ts";
import type { CallConnection } from "../broker_context.ts";
import type { Arrivals } from "./fetch_arrivals.ts";
import type { FetchTarget } from "./fetch_target.ts";

export interface MoveWait {
  untilMoved(timeoutMs: number): Promise<void>;
  stop(): void;
}

export function waitForMove(
  clock: Clock,
  targets: readonly FetchTarget[],
  connection: CallConnection,
  arrivals: Arrivals,
): MoveWait {
  let hasMoved = false;
  let wake: (() => void) | undefined;
  const onMove = (): void => {
    hasMoved = true;
    wake?.();
  };
  const onPartition = (): void => {
    if (arrivals.mayBeEnough()) onMove();
  };
  const stops = targets.flatMap(({ partition }) =>
    partition === undefined ? [] : [partition.watch(onPartition)]
  );
  stops.push(connection.onceGoing(onMove));
  return {
    untilMoved(timeoutMs): Promise<void> {
      if (hasMoved) {
        hasMoved = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const timer = clock.after(timeoutMs, onMove);
        wake = () => {
          timer.cancel();
          wake = undefined;
          hasMoved = false;
          resolve();
        };
      });
    },
    stop(): void {
      for (const stop of stops) stop();
    },
  };
}
