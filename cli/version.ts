/** Which mq this is. The number stands in `package.json` and nowhere else. */
import manifest from "../package.json" with { type: "json" };

export const VERSION: string = manifest.version;

export function versionLine(platform: string): string {
  return `mq ${VERSION} (${platform})\n`;
}
