/**
 * Whether a stream gets colours, decided for stdout and stderr apart.
 *
 * --color, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE, then TERM=dumb, then whether it is a
 * terminal. CI says nothing: in CI output goes into pipes, and escape codes in pipes break scripts.
 */
import pico from "picocolors";

export type Colours = ReturnType<typeof pico.createColors>;

export type ColourChoice = "auto" | "always" | "never";

export function mayColour(
  choice: ColourChoice,
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (choice !== "auto") return choice === "always";
  if (isOn(environment["NO_COLOR"])) return false;
  if (isForced(environment["FORCE_COLOR"]) || isForced(environment["CLICOLOR_FORCE"])) return true;
  return isTerminal && environment["TERM"] !== "dumb";
}

export function createColours(isEnabled: boolean): Colours {
  return pico.createColors(isEnabled);
}

/** An empty variable is as good as none. */
function isOn(variable: string | undefined): boolean {
  return variable !== undefined && variable !== "";
}

function isForced(variable: string | undefined): boolean {
  return isOn(variable) && variable !== "0" && variable !== "false";
}
