/** Replaces a file so that after a crash either the old or the new content is there, whole. */
import type { Disk } from "../env/disk.ts";

/** Kafka's name for what is written aside. */
const ASIDE = ".tmp";

/** `throwUnwanted` is asked after the wait, before the file gets its name, and throws where it must not. */
export async function writeAtomically(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  throwUnwanted: () => void = () => undefined,
): Promise<void> {
  const aside = path + ASIDE;
  const file = disk.open(aside, "write");
  try {
    file.truncate(0); // what a crash may have left
    file.write(0, [bytes]);
    await file.sync();
  } finally {
    file.close();
  }
  throwUnwanted();
  disk.rename(aside, path);
  await disk.syncDirectory(path.slice(0, path.lastIndexOf("/")));
}

/** A file that may be lost or torn by a crash, because its content can be made anew. */
export function writePlainly(disk: Disk, path: string, bytes: Uint8Array): void {
  const file = disk.open(path, "write");
  try {
    file.write(0, [bytes]);
    file.truncate(bytes.length);
  } finally {
    file.close();
  }
}

/** Makes the content of a file durable that was written and closed before. */
export async function syncFile(disk: Disk, path: string): Promise<void> {
  const file = disk.open(path, "write");
  try {
    await file.sync();
  } finally {
    file.close();
  }
}
