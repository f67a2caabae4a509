/**
 * A program that was stopped for longer than its session went on with the batches that it held, although
 * their partitions were somebody else's by then.
 */
import { expect, test } from "bun:test";
import type { GroupProtocol } from "../../src/client/group_options.ts";
import { fill } from "../client/filling.ts";
import { setUpGroup } from "../client/grouping.ts";

const PROTOCOLS: readonly GroupProtocol[] = ["classic", "consumer"];

for (const protocol of PROTOCOLS) {
  test(`behind a standstill the coordinator is heard first, ${protocol} protocol`, async () => {
    const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
    for (const value of ["0", "1", "2"]) fill(cluster.partition("a", 0), [value]);
    const one = await member("one", { protocol });
    const gate = Promise.withResolvers<void>();
    one.gate = gate.promise;
    one.start();
    await clock.advance(2000);
    expect(one.seen).toEqual(["0:0=0"]);
    clock.leap(60_000); // SIGSTOP, and SIGCONT after the session is over
    cluster.group("g").expel(one.consumer.memberId);
    cluster.group("g").offsets.set("a 0", 3); // its heir was through with all
    gate.resolve();
    await clock.advance(5000);
    expect(one.seen).toEqual(["0:0=0"]);
    expect(one.events).toEqual(["assigned 0", "lost 0", "expelled", "assigned 0"]);
  });

  test(`a standstill that cost nothing costs no record, ${protocol} protocol`, async () => {
    const { cluster, clock, member } = await setUpGroup({ partitions: 1 });
    for (const value of ["0", "1", "2"]) fill(cluster.partition("a", 0), [value]);
    const one = await member("one", { protocol });
    const gate = Promise.withResolvers<void>();
    one.gate = gate.promise;
    one.start();
    await clock.advance(2000);
    clock.leap(44_000);
    gate.resolve();
    await clock.advance(5000);
    expect(one.seen).toEqual(["0:0=0", "0:1=1", "0:2=2"]);
  });
}
