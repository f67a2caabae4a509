import { describe, expect, test } from "bun:test";
import { BrokerMetrics } from "../../src/broker/broker_metrics.ts";
import { type BrokerState, httpRoutes } from "../../src/broker/http_routes.ts";
import { PeerFault } from "../../src/env/network.ts";
import { serveHttp } from "../../src/host/http.ts";

describe("serveHttp()", () => {
  test("answers health and metrics by path, and refuses the rest", async () => {
    let state: BrokerState = "starting";
    const metrics = new BrokerMetrics();
    metrics.topic("t").bytesIn.add(7);
    const listener = await serveHttp(
      { host: "127.0.0.1", port: 0 },
      httpRoutes(metrics, {
        state: () => state,
        directories: () => [],
        offlinePartitions: () => 0,
      }),
    );
    const ask = async (path: string, method = "GET"): Promise<readonly [number, string]> => {
      const answer = await fetch(`http://127.0.0.1:${listener.address.port}${path}`, { method });
      return [answer.status, await answer.text()];
    };
    try {
      expect(await ask("/health/live")).toEqual([200, '{"status":"ok"}\n']);
      expect(await ask("/health/ready")).toEqual([503, '{"status":"starting"}\n']);
      state = "serving";
      expect((await ask("/health/ready?x=1"))[0]).toBe(200);
      expect((await ask("/metrics"))[1]).toContain(
        'kafka_server_brokertopicmetrics_bytesin_total{topic="t"} 7\n',
      );
      expect((await ask("/nothing"))[0]).toBe(404);
      expect((await ask("/metrics", "POST"))[0]).toBe(405);
      expect(await ask("/health/live", "HEAD")).toEqual([200, ""]);
      const second = await serveHttp(
        listener.address,
        () => ({ status: 200, contentType: "", body: "" }),
      )
        .catch((error: unknown) => error);
      expect(second).toBeInstanceOf(PeerFault);
      expect((second as PeerFault).kind).toBe("in-use");
    } finally {
      await listener.close();
    }
  });
});
