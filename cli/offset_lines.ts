/**
 * Offsets of a group as lines, "topic partition offset": what `mq group export` writes and `mq group
 * seek --to-file` reads. Blanks or TABs divide; empty lines and those that begin with # are skipped.
 */
import { usageFailure } from "./failure.ts";

export interface OffsetLine {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export function formatOffsetLine({ topic, partition, offset }: OffsetLine): string {
  return `${topic}\t${partition}\t${offset}`;
}

/** Throws a usage failure that names the line. `name` is what the file is called. */
export function parseOffsetLines(text: string, name: string): readonly OffsetLine[] {
  const found = new Map<string, OffsetLine>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line.trim().split(/\s+/);
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const [topic = "", partition, offset] = words.map((word) => word);
    const isWhole = (word: string | undefined): boolean => /^\d{1,15}$/.test(word ?? "");
    if (words.length !== 3 || !isWhole(partition) || !isWhole(offset)) {
      // The header that `mq group lag` or an older export may have left.
      if (index === 0 && /^TOPIC\s+PARTITION\s+OFFSET$/i.test(line.trim())) continue;
      throw usageFailure(
        `Cannot read line ${index + 1} of ${name}: '${line.slice(0, 80)}'`,
        "A line is: topic partition offset, as mq group export writes them",
      );
    }
    const key = `${topic} ${partition}`;
    if (found.has(key)) {
      throw usageFailure(`Cannot read line ${index + 1} of ${name}: ${key} stands there twice`);
    }
    found.set(key, { topic, partition: Number(partition), offset: Number(offset) });
  }
  return [...found.values()];
}
