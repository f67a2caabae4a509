/**
 * Ports of the loopback interface that nobody has at this moment, and that nobody gets by chance: they
 * lie below those that Linux (from 32768) and others (from 49152) give to who dials, or binds port 0.
 * Another test's connection can then not take one in the moment before it is listened on, or while
 * its owner is between two lives; nor can who dials a port where nobody listens meet itself.
 */
import { randomInt } from "node:crypto";
import net from "node:net";

const FIRST = 12_000;
const LAST = 32_000;

/** So many different ones: each was bound, and is let go of when all are known. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers: net.Server[] = [];
  try {
    while (servers.length < count) {
      const server = net.createServer();
      // deno-lint-ignore no-await-in-loop -- one that is taken is drawn again
      if (await listens(server, randomInt(FIRST, LAST))) servers.push(server);
    }
    return servers.map((server) => (server.address() as net.AddressInfo).port);
  } finally {
    await Promise.all(
      servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  }
}

/** False where the port is taken. */
function listens(server: net.Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
}
