/** Paths of data as they are typed, made whole: `.` has a name too, which says the topic. */
import type { Context } from "./context.ts";

export function dataPath({ io }: Context, typed: string): string {
  const here = io.environment["PWD"];
  const whole = typed.startsWith("/") || here === undefined ? typed : io.files.join(here, typed);
  const path = io.files.join(whole);
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

/** Where a broker keeps its data that was not told where: `mq broker start --data-dir`. */
export function defaultDataDirectory({ io }: Context): string {
  const home = io.environment["XDG_DATA_HOME"];
  return home?.startsWith("/") === true
    ? io.files.join(home, "mq")
    : io.files.join(io.files.homeDirectory(), ".local", "share", "mq");
}
