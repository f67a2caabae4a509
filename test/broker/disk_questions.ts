/** What tests of misbehaving disks ask of a broker. */
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { BrokerFault } from "../../src/broker/broker_fault.ts";
import type { MemoryDisk } from "../log/memory_disk.ts";
import { type Fixture, pageOf, type RawConnection, recordsOf } from "./broker_fixture.ts";
import { fetchFrom } from "./topic_requests.ts";

export const MEBIBYTE: number = 1024 * 1024;
/** Settings of a broker with two log directories. */
export const TWO = { "log.dirs": "/one,/two" };

/** Why a broker does not start, or "none". */
export async function refusal(starting: Promise<Fixture>): Promise<string> {
  try {
    await starting;
  } catch (fault) {
    if (fault instanceof BrokerFault) return `${fault.code}: ${fault.message}`;
    throw fault;
  }
  return "none";
}

export async function valuesOf(
  connection: RawConnection,
  topic: string,
): Promise<readonly string[]> {
  return recordsOf((await fetchFrom(connection, topic)).records);
}

export function metric({ broker }: Fixture, name: string): string | undefined {
  const text = broker.metrics.metrics.render();
  return text.split("\n").find((line) => line.startsWith(name))?.split(" ").at(-1);
}

export function ready({ broker }: Fixture): string {
  const { status, body } = pageOf({ broker }, "/health/ready");
  return `${status} ${body.trim()}`;
}

export async function deleteTopic(connection: RawConnection, topic: string): Promise<number> {
  const body = { topicNames: [topic], timeoutMs: 1000 };
  const { responses } = await connection.ask(deleteTopics, 5, body);
  return responses[0]?.errorCode as number;
}

/** Every file of a disk with its content. */
export function contentOf(disk: MemoryDisk): string {
  return [...disk.files].map(([path, { content }]) => `${path} ${content}`).sort().join("\n");
}
