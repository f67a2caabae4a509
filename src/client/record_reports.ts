/** From the report of a batch to the reports of its records, for those who want to know. */
import type { BatchReport, OnDelivery } from "./producer_options.ts";

export function tellRecords(
  report: BatchReport,
  callbacks: readonly (OnDelivery | undefined)[],
): void {
  const { topic, partition, baseOffset, error } = report;
  for (let index = 0; index < callbacks.length; index++) {
    const callback = callbacks[index];
    if (callback === undefined) continue;
    const offset = baseOffset < 0 ? -1 : baseOffset + index;
    const record = { topic, partition, offset };
    callback(error === undefined ? record : { ...record, error });
  }
}
