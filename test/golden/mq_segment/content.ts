/** What the golden partition holds: for the script that makes it and the test that reads it. */

export const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/** The day of each segment's records: further apart than `segment.ms`, so that the log rolls. */
export const segmentDays = ["2026-01-02", "2026-02-02"] as const;

const BATCHES = 3;
const RECORDS = 4;

/**
 * Of each codec three batches, each an hour later than the last: keys and values, the last value of
 * a batch being null.
 */
export function linesOf(segment: number, codec: string): readonly string[] {
  return Array.from({ length: BATCHES }, (_, batch) => {
    const lines = Array.from({ length: RECORDS }, (_, record) => {
      const value = record === RECORDS - 1 ? "" : `${codec} `.repeat(record * 4 + 1).trim();
      return `${segment}-${batch}-${record}:${value}\n`;
    });
    return lines.join("");
  });
}
