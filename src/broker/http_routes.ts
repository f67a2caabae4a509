/** What the broker answers over HTTP: is it alive, does it serve, and its metrics. */
import type { BrokerMetrics } from "./broker_metrics.ts";

export interface HttpReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type BrokerState = "starting" | "serving" | "stopping" | "failed";

const JSON_TYPE = "application/json";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `state` is asked anew for every request. */
export function httpRoutes(
  metrics: BrokerMetrics,
  state: () => BrokerState,
): (question: { readonly method: string; readonly path: string }) => HttpReply {
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
        return ready(state());
      case "/metrics":
        return { status: 200, contentType: METRICS_TYPE, body: metrics.metrics.render() };
      default:
        return problem(404, `There is no ${path}; there are /health/live, /health/ready, /metrics`);
    }
  };
}

function ready(state: BrokerState): HttpReply {
  return state === "serving" ? json(200, { status: "ok" }) : json(503, { status: state });
}

function problem(status: number, message: string): HttpReply {
  return json(status, { error: { message } });
}

function json(status: number, body: unknown): HttpReply {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(body)}\n` };
}
