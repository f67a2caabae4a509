/**
 * A small HTTP server for health, metrics and what else the program answers by path.
 *
 * The routes are a function from path to answer; each runtime's own server carries it.
 */
import { type Address, type Listener, PeerFault } from "../env/network.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpQuestion {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
}

export type HttpRoutes = (question: HttpQuestion) => HttpAnswer | Promise<HttpAnswer>;

interface BunServer {
  readonly port: number;
  stop(closeConnections: boolean): Promise<void>;
}

interface DenoServer {
  readonly addr: { readonly port: number };
  shutdown(): Promise<void>;
}

interface Runtime {
  readonly Bun?: {
    serve(options: {
      hostname: string;
      port: number;
      development: boolean;
      reusePort: boolean;
      fetch: (request: Request) => Promise<Response>;
    }): BunServer;
  };
  readonly Deno?: {
    serve(
      options: { hostname: string; port: number; onListen: () => void },
      handler: (request: Request) => Promise<Response>,
    ): DenoServer;
  };
}

/** Throws a `PeerFault` where the address cannot be had. */
export function serveHttp(address: Address, routes: HttpRoutes): Promise<Listener> {
  const runtime = globalThis as unknown as Runtime;
  const onRequest = (request: Request): Promise<Response> => answer(request, routes);
  const { host: hostname, port } = address;
  try {
    if (runtime.Bun !== undefined) {
      // Without `reusePort: false` Bun lets two processes have the same port.
      const server = runtime.Bun.serve({
        hostname,
        port,
        development: false,
        reusePort: false,
        fetch: onRequest,
      });
      return Promise.resolve({
        address: { host: hostname, port: server.port },
        close: () => server.stop(true),
      });
    }
    if (runtime.Deno !== undefined) {
      const server = runtime.Deno.serve({ hostname, port, onListen: () => undefined }, onRequest);
      return Promise.resolve({
        address: { host: hostname, port: server.addr.port },
        close: () => server.shutdown(),
      });
    }
  } catch (error) {
    const code = (error as { readonly code?: string }).code ?? (error as Error).name;
    const isInUse = code === "EADDRINUSE" || code === "AddrInUse";
    return Promise.reject(new PeerFault(isInUse ? "in-use" : "io", code));
  }
  return Promise.reject(new PeerFault("io", "this runtime has no HTTP server"));
}

async function answer(request: Request, routes: HttpRoutes): Promise<Response> {
  const reply = await routes({ method: request.method, path: new URL(request.url).pathname });
  return new Response(request.method === "HEAD" ? null : reply.body, {
    status: reply.status,
    headers: {
      "content-type": reply.contentType,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
