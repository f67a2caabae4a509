/** What the broker answers over HTTP: is it alive, does it serve, and its metrics. */
import type { DirectoryReport } from "../runtime/log_manager.ts";
import type { BrokerMetrics } from "./broker_metrics.ts";

export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type BrokerState = "starting" | "serving" | "stopping" | "failed";

const JSON_TYPE = "application/json";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Asked anew for every request. */
export interface HealthSources {
  state(): BrokerState;
  directories(): readonly DirectoryReport[];
  /** Partitions that cannot be served. */
  offlinePartitions(): number;
  /** To be awaited before a page of metrics is made. */
  prepareMetrics?(): Promise<unknown> | undefined;
}

export function httpRoutes(
  metrics: BrokerMetrics,
  health: HealthSources,
): (
  question: { readonly method: string; readonly path: string },
) => HttpReply | Promise<HttpReply> {
  const page = (): HttpReply => {
    return { status: 200, contentType: METRICS_TYPE, body: metrics.metrics.render() };
  };
  return ({ method, path }) => {
    if (method !== "GET" && method !== "HEAD") {
      return problem(405, `Method ${method} is not served; use GET`);
    }
    switch (path) {
      case "/health/live":
      case "/livez":
      case "/healthz":
        return json(200, { status: "ok" });
      case "/health/ready":
      case "/readyz":
        return ready(health);
      case "/metrics":
        return health.prepareMetrics?.()?.then(page) ?? page();
      default:
        return problem(404, `There is no ${path}; there are /health/live, /health/ready, /metrics`);
    }
  };
}

/**
 * Ready is who answers requests: a broker with a full or a lost directory serves what it has, and to
 * take it out of service would take that away too. What is wrong is told beside.
 */
function ready(health: HealthSources): HttpReply {
  const state = health.state();
  if (state !== "serving") return json(503, { status: state });
  const troubled = health.directories().filter((directory) => directory.state !== "online");
  const offlinePartitions = health.offlinePartitions();
  if (troubled.length === 0 && offlinePartitions === 0) return json(200, { status: "ok" });
  const logDirectories = troubled.map(({ path, state }) => ({ path, state }));
  return json(200, { status: "degraded", logDirectories, offlinePartitions });
}

function problem(status: number, message: string): HttpReply {
  return json(status, { error: { message } });
}

function json(status: number, body: unknown): HttpReply {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}
